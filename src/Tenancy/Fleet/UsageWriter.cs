using Microsoft.Extensions.Logging;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Writes each second what calls took that have no idempotency key, and once more when the server stops.</summary>
/// <remarks>
/// What was sent and not acknowledged is sent again under the same number, so that it is added once. Until then nothing else is sent of the
/// same tenant and day: the store knows of the last number of this node alone. While the store is away, the rest stays in the counters:
/// nothing is lost but with the process.
/// </remarks>
internal sealed class UsageWriter(UsageCounts counts, UsageStore store, TimeProvider time, ILogger<UsageWriter> logger)
    : RepeatedWork(Interval, time, logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int MaxAtOnce = 16;

    private readonly Dictionary<UsagePlace, Sending> _sent = [];
    private long _number;

    /// <summary>Writes what was counted until now.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; what was not written is kept.</exception>
    public Task WriteAsync() =>
        DoAloneAsync(async () =>
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
        });

    protected override Task DoAsync(CancellationToken stopping) => WriteAsync();

    protected override Task EndAsync() => WriteAsync();

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

    private sealed record Sending(UsagePlace Place, long Number, IReadOnlyList<UsageRow> Rows);
}
