using Microsoft.Extensions.Hosting;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Writes each second what calls took that have no idempotency key, and once more when the server stops.</summary>
/// <remarks>
/// What was sent and not acknowledged is sent again under the same number, so that it is added once. Until then nothing else is sent of the
/// same tenant and day: the store knows of the last number of this node alone. While the store is away, the rest stays in the counters:
/// nothing is lost but with the process.
/// </remarks>
internal sealed class UsageWriter(UsageCounts counts, UsageStore store, TimeProvider time) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int MaxAtOnce = 16;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<UsagePlace, Sending> _sent = [];
    private long _number;

    /// <summary>Writes what was counted until now.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; what was not written is kept.</exception>
    public async Task WriteAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var away = await SendAsync([.. _sent.Values]).ConfigureAwait(false);
            Sending[] next = [.. counts.Take(except: _sent.ContainsKey).Select(one => new Sending(one.Key, ++_number, one.Value))];
            foreach (var sending in next)
            {
                _sent.Add(sending.Place, sending);
            }

            away = await SendAsync(next).ConfigureAwait(false) ?? away;
            if (away is not null)
            {
                throw new StoreUnavailableException(away);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await TryAsync().ConfigureAwait(false);
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                await TryAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A host that is disposed without being stopped would take it for a failure.
        }
    }

    private async Task<StoreUnavailableException?> SendAsync(Sending[] all)
    {
        StoreUnavailableException? away = null;
        foreach (var some in all.Chunk(MaxAtOnce))
        {
            foreach (var (sending, failure) in some.Zip(await Task.WhenAll(some.Select(TrySendAsync)).ConfigureAwait(false)))
            {
                if (failure is null)
                {
                    _sent.Remove(sending.Place);
                }

                away ??= failure;
            }
        }

        return away;
    }

    // In a cluster only the slot of this tenant may be away: the others are written.
    private async Task<StoreUnavailableException?> TrySendAsync(Sending sending)
    {
        try
        {
            await store.AddAsync(sending.Place, sending.Number, sending.Rows).ConfigureAwait(false);
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            return exception;
        }
    }

    private async Task TryAsync()
    {
        try
        {
            await WriteAsync().ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // It is tried again at the next tick.
        }
    }

    private sealed record Sending(UsagePlace Place, long Number, IReadOnlyList<UsageRow> Rows);
}
