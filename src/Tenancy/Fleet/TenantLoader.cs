using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Loads the tenants when the server starts, and seeds a store that has none. While the store is away it goes on trying.</summary>
internal sealed class TenantLoader(
    TenantRegistry registry, TenantAdministration administration, PlatformCatalog platforms, RedisConnection redis,
    IOptions<TenancyOptions> options, TimeProvider time, ILogger<TenantLoader> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _retrying = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // A mistake in a handler or in the connection's settings stops the start here.
        platforms.BuildAll();
        _ = redis.ClockOffset;
        if (!await TryLoadAsync(cancellationToken).ConfigureAwait(false))
        {
            _retrying = RetryAsync();
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _retrying.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RetryAsync()
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false) && !await TryLoadAsync(_stopping.Token).ConfigureAwait(false))
        {
        }
    }

    private async Task<bool> TryLoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await registry.LoadAsync(cancellationToken).ConfigureAwait(false);
            if (!registry.List().Any())
            {
                await SeedAsync(cancellationToken).ConfigureAwait(false);
            }

            registry.MarkLoaded();
            logger.TenantsLoaded(registry.List().Count());
            return true;
        }
        catch (StoreUnavailableException exception)
        {
            logger.StoreAwayAtStart(exception);
            return false;
        }
    }

    private async Task SeedAsync(CancellationToken cancellationToken)
    {
        foreach (var seed in options.Value.Tenants)
        {
            try
            {
                await administration.RegisterAsync(seed, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is TenantConfigException or TenantConflictException)
            {
                logger.SeedFailed(exception, seed.Tenant.Id);
            }
        }
    }
}
