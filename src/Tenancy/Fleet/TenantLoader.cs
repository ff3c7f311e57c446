using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Loads the tenants when the server starts, seeds what is new, and follows the sources of tenants. While the store is away it goes on trying.</summary>
internal sealed class TenantLoader(
    TenantRegistry registry, ConfigurationSeeds seeds, IEnumerable<ITenantSource> sources, TenantAdministration administration, IPlatformFactory platforms, RedisConnection redis,
    TimeProvider time, ILoggerFactory loggers) : IHostedService, IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TenantSourceFollower[] _followers =
        [.. Distinct(sources).Select(source => new TenantSourceFollower(source, administration, registry, time, loggers.CreateLogger<TenantSourceFollower>()))];

    private readonly ILogger _logger = loggers.CreateLogger<TenantLoader>();
    private readonly List<Task> _running = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // A mistake in a handler or in the connection's settings stops the start here.
        platforms.Prepare();
        _ = redis.ClockOffset;
        if (!await TryLoadAsync(cancellationToken).ConfigureAwait(false))
        {
            _running.Add(RetryAsync());
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll([.. _running, registry.FlushAsync()]).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Cancelled, not disposed, as BackgroundService does: a host may be stopped by one who races with its disposal (WebApplicationFactory is).
    public void Dispose() => _stopping.Cancel();

    private static IEnumerable<ITenantSource> Distinct(IEnumerable<ITenantSource> sources) =>
        sources.CountBy(source => TenantOrigin.Source(source.GetType())).FirstOrDefault(origin => origin.Value > 1).Key is { } origin
            ? throw new InvalidOperationException($"There are several sources of tenants '{origin}': each would take away what the others give. Give each a class of its own, or make them one.")
            : sources;

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
            await seeds.SeedAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception)
        {
            _logger.StoreAwayAtStart(exception);
            return false;
        }

        var isUpToDate = new bool[_followers.Length];
        for (var i = 0; i < _followers.Length; i++)
        {
            isUpToDate[i] = await _followers[i].TryFollowAsync(cancellationToken).ConfigureAwait(false);
        }

        registry.MarkLoaded();
        _logger.TenantsLoaded(registry.Count);
        seeds.Watch(_stopping.Token);
        _running.AddRange(_followers.Select((follower, index) => follower.RunAsync(isUpToDate[index], _stopping.Token)));
        return true;
    }
}
