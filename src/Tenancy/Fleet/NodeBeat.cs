using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Says every five seconds that this node is there, and how far it follows; and when it goes.</summary>
/// <remarks>The others take a node for gone that they do not hear of.</remarks>
internal sealed class NodeBeat(
    FleetNodes nodes,
    TenantRegistry registry,
    TenantFollower follower,
    RedisConnection redis,
    TimeProvider time,
    ILogger<NodeBeat> logger
) : RepeatedWork(Interval, time, logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    protected override Task DoAsync(CancellationToken stopping) =>
        nodes.BeatAsync(
            new(
                redis.NodeId,
                Environment.MachineName,
                _startedAt,
                Release.Version,
                follower.Version,
                registry.Count,
                Math.Round(follower.Lag.TotalSeconds, 1)
            )
        );

    protected override Task EndAsync() => nodes.LeaveAsync();
}
