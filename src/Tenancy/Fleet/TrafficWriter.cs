using Microsoft.Extensions.Logging;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Writes each minute how often each tenant was called, and once more when the server stops.</summary>
/// <remarks>It is for looking at, and not for bills: what is counted meanwhile is lost where the process is killed.</remarks>
internal sealed class TrafficWriter(
    TrafficCounts counts,
    TrafficStore store,
    TenantRegistry registry,
    TimeProvider time,
    ILogger<TrafficWriter> logger
) : RepeatedWork(Interval, time, logger)
{
    private readonly TimeProvider _time = time;

    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private const int MaxAtOnce = 16;

    /// <summary>Writes what was counted until now.</summary>
    public Task WriteAsync() =>
        DoAloneAsync(async () =>
        {
            foreach (var some in counts.Take().Chunk(MaxAtOnce))
            {
                await Task.WhenAll(some.Select(one => WriteAsync(one.Life, one.Quarter))).ConfigureAwait(false);
            }
        });

    protected override Task DoAsync(CancellationToken stopping) => WriteAsync();

    protected override Task EndAsync() => WriteAsync();

    private async Task WriteAsync(TenantLife life, Quarter quarter)
    {
        try
        {
            await LookAsync(life, quarter).ConfigureAwait(false);
            await store.KeepAsync(life, quarter).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.InnerException is GenerationEndedException)
        {
            // Of a tenant that is gone nothing is shown.
        }
        catch (StoreUnavailableException)
        {
            // A quarter that is over by the next time is lost: nobody is billed by it.
            quarter.Mark();
        }
    }

    // What sessions and documents take up is no matter of one request: it is looked at while the quarter lasts.
    private async Task LookAsync(TenantLife life, Quarter quarter)
    {
        if (_time.GetUtcNow() < quarter.End && registry.Get(life.Tenant) is { } tenant && tenant.Generation == life.Generation)
        {
            var (sessions, bytes) = await store.CountTakenAsync(life.Tenant).ConfigureAwait(false);
            quarter.NotePeak(LimitPeak.Sessions, Share(sessions, tenant.Limits.MaxSessions));
            quarter.NotePeak(LimitPeak.Documents, Share(bytes, tenant.Limits.MaxDocumentBytes));
        }
    }

    private static int Share(long taken, long limit) => (int)Math.Min(100, 100 * (decimal)taken / limit);
}
