using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>
/// Builds the platforms of stored tenants, which are in place already: each is served from when its own platform is there.
/// </summary>
internal sealed class PlatformBuilds(TenantTable table, TenantProbe probe, TimeProvider time, ILogger logger)
{
    private const int MaxAtOnce = 16;

    /// <summary>How long a platform that is being built keeps the next one waiting. It is built on after that.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    /// <summary>Builds the platforms that are missing now.</summary>
    public async Task BuildAllAsync(CancellationToken cancellationToken)
    {
        var missing = table.Models.Where(IsMissing).Select(model => table.Find(model.Id)!).ToArray();
        var slow = new ConcurrentBag<Task>();
        await Parallel
            .ForEachAsync(
                missing,
                new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = cancellationToken },
                BuildInTurnAsync
            )
            .ConfigureAwait(false);
        await Task.WhenAll(slow).ConfigureAwait(false);

        async ValueTask BuildInTurnAsync(TenantState state, CancellationToken _)
        {
            var building = state.CheckAsync(() => BuildAsync(state, cancellationToken));
            await building.WaitAsync(Turn, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!building.IsCompletedSuccessfully)
            {
                slow.Add(building);
            }
        }
    }

    /// <summary>Builds a tenant's platform, anew where the tenant is changed meanwhile.</summary>
    public async Task BuildAsync(TenantState state, CancellationToken cancellationToken, CheckProgress? progress = null)
    {
        while (state.Model is { } model && IsMissing(model))
        {
            var began = time.GetUtcNow();
            var (platform, failure) = await probe.BuildAsync(model.Config, cancellationToken, progress).ConfigureAwait(false);
            if (platform is null && cancellationToken.IsCancellationRequested)
            {
                // The build was cut off because the server stops, which is no failure of the tenant.
                return;
            }

            if (await table.SetPlatformAsync(state, model, platform, failure, began).ConfigureAwait(false) is not var (before, after))
            {
                continue;
            }

            if (after.Health != before.Health)
            {
                logger.TenantHealthChanged(
                    after.Id.Value,
                    after.Health.ToString(),
                    before.Health.ToString(),
                    after.Record.Check.Reason ?? "it passed its checks."
                );
            }

            return;
        }
    }

    private static bool IsMissing(TenantModel model) => model.Platform is null && model.Health != TenantHealth.Disabled;
}
