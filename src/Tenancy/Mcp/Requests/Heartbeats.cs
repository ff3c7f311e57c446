using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Mcp.Requests;

/// <summary>Keeps connections awake on which nothing else is written: what stands in between cuts silent ones.</summary>
internal sealed class Heartbeats(TimeProvider time, IOptions<TenancyOptions> options)
{
    /// <summary>Gets how long a connection may be silent.</summary>
    public TimeSpan Interval { get; } = options.Value.HeartbeatInterval;

    /// <summary>Does something at every interval.</summary>
    public Heartbeat Begin(Func<Task> beat) => new(time, Interval, beat);
}
