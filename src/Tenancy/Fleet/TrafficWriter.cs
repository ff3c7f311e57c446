using Microsoft.Extensions.Logging;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Writes each minute how often each tenant was called, and once more when the server stops.</summary>
/// <remarks>It is for looking at, and not for bills: what is counted meanwhile is lost where the process is killed.</remarks>
internal sealed class TrafficWriter(TrafficCounts counts, TrafficStore store, TimeProvider time, ILogger<TrafficWriter> logger)
    : RepeatedWork(Interval, time, logger)
{
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
}
