using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// Knows which sessions have calls that run on this node, and tells the others by the store: such a session is in use, and makes room for
/// no other of its caller's, whether or not it has a stream.
/// </summary>
internal sealed class CallsUnderWay(
    OpenSessions sessions,
    RedisConnection redis,
    FleetNodes nodes,
    TenantRegistry registry,
    Heartbeats heartbeats
) : IHostedService
{
    private Heartbeat? _beat;

    /// <summary>How long a session counts as one in use after that was noted: two beats may be late.</summary>
    public TimeSpan Lifetime => heartbeats.Interval * 3;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _beat = heartbeats.Begin(TellAsync);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_beat is { } beat)
        {
            await beat.DisposeAsync();
        }
    }

    /// <summary>
    /// Whether calls of a session run here. The store knows it then, and does not name the session again as one that can go.
    /// </summary>
    /// <param name="store">The tenant's sessions.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="handle">The hash of the session's id.</param>
    public async Task<bool> KeepAsync(SessionStore store, TenantId tenant, string handle) =>
        sessions.FindByHandle(tenant, handle) is { Session.HasCalls: true } && await store.NoteCallsAsync(handle, Lifetime);

    // A session that has just begun a call was just used, so that it is the last one that would go: what runs for less than a beat need not
    // be told of.
    private async Task TellAsync()
    {
        var running = sessions.FindRunning();
        try
        {
            if (running.Count == 0 || !await nodes.HasOthersAsync())
            {
                return;
            }

            foreach (var (tenant, handle) in running)
            {
                if (registry.Get(tenant.Value) is { } model)
                {
                    await new SessionStore(redis, tenant, model.Generation).NoteCallsAsync(handle, Lifetime);
                }
            }
        }
        catch (StoreUnavailableException)
        {
            // They are told at the next beat. Until then no other node can begin a session either.
        }
    }
}
