using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Completes registrations and deletions that were cut off: at the start, and twice a minute.</summary>
/// <remarks>
/// A request completes its own. This is for those whose node died, or lost the store, before it was through; what is unfinished is found
/// again when the store is back.
/// </remarks>
internal sealed class UnfinishedTenants(
    ITenantStore store,
    TenantRegistry registry,
    TenantPurge purge,
    TimeProvider time,
    ILogger<UnfinishedTenants> logger
) : RepeatedWork(Interval, time, logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Completes what it finds now. What cannot be completed is tried again the next time.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (var tenant in await store.ListUnfinishedAsync().ConfigureAwait(false))
        {
            try
            {
                await CompleteAsync(tenant, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                logger.TenantUnfinished(exception, tenant.Value);
            }
        }
    }

    protected override Task DoAsync(CancellationToken stopping) => CompleteAsync(stopping);

    private async Task CompleteAsync(TenantId tenant, CancellationToken cancellationToken)
    {
        if (await purge.RunAsync(tenant, waits: false, cancellationToken).ConfigureAwait(false))
        {
            logger.TenantPurged(tenant.Value);
        }
        else if (registry.IsLoaded)
        {
            // Until the tenants are loaded, the start completes what it loads.
            await registry.Stored.CompleteAsync(tenant, cancellationToken).ConfigureAwait(false);
        }
    }
}
