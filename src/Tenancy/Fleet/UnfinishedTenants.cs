using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Completes registrations and deletions that were cut off: at the start, and twice a minute.</summary>
/// <remarks>A request completes its own. This is for those whose node died, or lost the store, before it was through.</remarks>
internal sealed class UnfinishedTenants(
    ITenantStore store,
    TenantRegistry registry,
    TenantPurge purge,
    TimeProvider time,
    ILogger<UnfinishedTenants> logger
) : BackgroundService
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

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await TryCompleteAsync(stoppingToken).ConfigureAwait(false);
            } while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A host that is disposed without being stopped would take it for a failure.
        }
    }

    private async Task TryCompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // The store is away, which is logged by what needs it for a request. What is unfinished is found again when it is back.
        }
    }

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
