using Microsoft.Extensions.Logging;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Writes each second what calls took that have no idempotency key, and once more when the server stops.</summary>
/// <remarks>
/// What was sent and not acknowledged is sent again under the same number, so that it is added once. While the store is away, the rest
/// stays in the counters: nothing is lost but with the process.
/// </remarks>
internal sealed class UsageWriter(UsageCounts counts, UsageStore store, TimeProvider time, ILogger<UsageWriter> logger)
    : RepeatedWork(Interval, time, logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int MaxAtOnce = 16;

    // Of tenants whose part of the store is away. What comes beyond stays in the counters.
    private const int MaxWaiting = 10_000;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<Sending> _sent = [];
    private long _number;

    /// <summary>Writes what was counted until now.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; what was not written is kept.</exception>
    public async Task WriteAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var away = _sent.Count > 0 ? await SendAsync().ConfigureAwait(false) : null;
            if (_sent.Count < MaxWaiting)
            {
                _sent.AddRange(counts.Take().Select(one => new Sending(one.Key, ++_number, one.Value)));
                away = await SendAsync().ConfigureAwait(false);
            }

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

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override Task DoAsync(CancellationToken stopping) => WriteAsync();

    protected override Task EndAsync() => WriteAsync();

    private async Task<StoreUnavailableException?> SendAsync()
    {
        StoreUnavailableException? away = null;
        foreach (var some in _sent.ToArray().Chunk(MaxAtOnce))
        {
            foreach (var (sending, failure) in some.Zip(await Task.WhenAll(some.Select(TrySendAsync)).ConfigureAwait(false)))
            {
                if (failure is null)
                {
                    _sent.Remove(sending);
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

    private sealed record Sending(UsagePlace Place, long Number, IReadOnlyList<UsageRow> Rows);
}
