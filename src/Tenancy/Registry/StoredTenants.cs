using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>
/// Makes this node have what the store has: all tenants at the start, and one that another node, or a call whose answer was lost, has
/// registered, changed or taken away.
/// </summary>
internal sealed class StoredTenants(
    TenantTable table,
    ITenantStore store,
    TenantProbe probe,
    PlatformBuilds builds,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>Puts all tenants of the store in place, with the health that they had. Their platforms are yet to be built.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var records = await store.LoadAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var record in records)
        {
            var known = IsOutdated(record.Check, records.Count)
                ? record with
                {
                    Check = record.Check with { Health = TenantHealth.Unverified },
                }
                : record;
            await table.SwapAsync(new TenantModel(known, platform: null), keepCheck: false).ConfigureAwait(false);
        }
    }

    /// <summary>Builds the platforms of the tenants that have none now. One that hangs keeps no other waiting.</summary>
    public Task BuildAsync(CancellationToken cancellationToken) => builds.BuildAllAsync(cancellationToken);

    /// <summary>Completes a registration that was cut off, and serves the tenant.</summary>
    public async Task CompleteAsync(TenantId id, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id).ConfigureAwait(false) is { } record && table.Get(id.Value) is null)
        {
            await PlaceAsync(record, wait: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts a tenant in place that another node has registered.</summary>
    public async Task PlaceAsync(TenantRecord record, bool wait, CancellationToken cancellationToken)
    {
        await table.SwapAsync(new TenantModel(record, platform: null), keepCheck: false).ConfigureAwait(false);
        var (state, progress) = (table.Find(TenantId.Parse(record.Config.Id))!, new CheckProgress());
        var built = state.CheckAsync(() => builds.BuildAsync(state, CancellationToken.None, progress), progress);
        await (wait ? built.WaitAsync(cancellationToken) : progress.SettleAsync(built)).ConfigureAwait(false);
    }

    /// <summary>Puts a change of another node in place, when its platform is built: the old one serves until then.</summary>
    public async Task ReplaceAsync(TenantRecord record, CancellationToken cancellationToken)
    {
        PlatformInstance? platform = null;
        if (record.Check.Health != TenantHealth.Disabled)
        {
            (platform, var failure) = await probe.BuildAsync(record.Config, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                record = record with
                {
                    Check = new(
                        TenantHealthPolicy.Next(record.Check.Health, failure),
                        TenantHealthPolicy.Reason(failure),
                        time.GetUtcNow()
                    ),
                };
            }
        }

        await table.SwapAsync(new TenantModel(record, platform), keepCheck: false).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes a tenant away here that the store does not have any more: it went just now, or with a call whose answer was lost.
    /// </summary>
    /// <param name="id">The tenant.</param>
    /// <param name="seen">What was here before the store was asked.</param>
    /// <param name="removal">
    /// What the store says. Where the store has lost the tombstone, too, the model that was seen goes, and no later one.
    /// </param>
    /// <returns>False when there was no such tenant, neither there nor here.</returns>
    public async Task<bool> RemoveAsync(TenantId id, TenantModel? seen, TenantRemoval removal)
    {
        if (
            (removal.Version ?? seen?.Version + 1) is not { } version
            || !(await table.RemoveAsync(id, version).ConfigureAwait(false) || removal.Existed)
        )
        {
            return false;
        }

        logger.TenantUnregistered(id.Value, version);
        return true;
    }

    /// <summary>Whether a tenant was healthy so long ago that it has to be shown again; it is served meanwhile.</summary>
    private bool IsOutdated(TenantCheck check, int tenants) =>
        check.Health == TenantHealth.Healthy
        && probe.HasValidators
        && time.GetUtcNow() - check.CheckedAt > 2 * RecheckInterval.Healthy(tenants);
}
