using Microsoft.Extensions.Hosting;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Says every five seconds that this node is there, and how far it follows; and when it goes.</summary>
internal sealed class NodeBeat(FleetNodes nodes, TenantRegistry registry, TenantFollower follower, RedisConnection redis, TimeProvider time)
    : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await TryAsync(nodes.LeaveAsync).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await TryAsync(BeatAsync).ConfigureAwait(false);
            } while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A host that is disposed without being stopped would take it for a failure.
        }
    }

    private Task BeatAsync() =>
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

    private static async Task TryAsync(Func<Task> tell)
    {
        try
        {
            await tell().ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // The others take a node for gone that they do not hear of. Whoever needs the store says that it is away.
        }
    }
}
