using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>
/// Makes this node serve what the store has: it asks again and again what changed since the last time, and at once when another node says
/// that something did.
/// </summary>
internal sealed class TenantFollower(
    TenantRegistry registry,
    FleetMessages messages,
    IOptions<TenancyOptions> options,
    TimeProvider time,
    TenancyMetrics metrics,
    ILogger<TenantFollower> logger
)
{
    /// <summary>After how long without an answer of the store a node says that it cannot follow.</summary>
    public static readonly TimeSpan MaxLag = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private long _followedAt = time.GetTimestamp();
    private long _version;
    private bool _isBehind;
    private bool _mustReset;

    /// <summary>Gets the version of the last change that this node has followed.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Gets how long ago this node knew all that the store has.</summary>
    public TimeSpan Lag => time.GetElapsedTime(Volatile.Read(ref _followedAt));

    /// <summary>Follows from a position on until the server stops.</summary>
    public async Task RunAsync(ChangePosition position, CancellationToken stopping)
    {
        Note(position);
        metrics.ObserveLag(() => Lag.TotalSeconds);
        messages.Listen(message =>
        {
            if (message.Topic == FleetTopic.Tenant)
            {
                _wakes.Writer.TryWrite(true);
            }
        });
        using var timer = new PeriodicTimer(options.Value.PollInterval, time);
        try
        {
            var (tick, wake) = (timer.WaitForNextTickAsync(stopping).AsTask(), WakeAsync());
            while (true)
            {
                await messages.StartAsync().ConfigureAwait(false);
                position = await TryFollowAsync(position, stopping).ConfigureAwait(false);
                await Task.WhenAny(tick, wake).ConfigureAwait(false);
                stopping.ThrowIfCancellationRequested();
                if (tick.IsCompleted)
                {
                    tick = timer.WaitForNextTickAsync(stopping).AsTask();
                }

                if (wake.IsCompleted)
                {
                    wake = WakeAsync();
                }
            }

            Task<bool> WakeAsync() => _wakes.Reader.ReadAsync(stopping).AsTask();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // A host that is disposed without being stopped would take it for a failure.
        }
    }

    private async Task<ChangePosition> TryFollowAsync(ChangePosition position, CancellationToken stopping)
    {
        try
        {
            if (!_mustReset)
            {
                if (await registry.Stored.FollowAsync(position, stopping).ConfigureAwait(false) is { } followed)
                {
                    Note(followed);
                    return followed;
                }

                // Kept until the reset is done. If the store goes away in between, the next attempt may find nothing any more by which it
                // could notice the loss again.
                _mustReset = true;
                logger.HistoryLost(position.Version);
            }

            var (begun, gone) = await registry.Stored.ResetAsync(stopping).ConfigureAwait(false);
            _mustReset = false;
            logger.HistoryFollowed(begun.Version, registry.Count, gone);
            Note(begun);
            return begun;
        }
        catch (StoreUnavailableException exception)
        {
            if (!_isBehind && Lag > MaxLag)
            {
                _isBehind = true;
                logger.CannotFollow(exception, (int)Lag.TotalSeconds);
            }
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            logger.FollowFailed(exception);
        }

        return position;
    }

    private void Note(ChangePosition position)
    {
        if (_isBehind)
        {
            _isBehind = false;
            logger.FollowsAgain((int)Lag.TotalSeconds);
        }

        Volatile.Write(ref _version, position.Version);
        Volatile.Write(ref _followedAt, time.GetTimestamp());
    }
}
