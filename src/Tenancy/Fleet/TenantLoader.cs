using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Administration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>
/// Loads the tenants when the server starts, seeds what is new, and follows the sources of tenants. While the store is away it goes on
/// trying.
/// </summary>
/// <remarks>
/// An ordinary start is complete before the server listens. What takes longer goes on in the background, and costs only its own tenants.
/// </remarks>
internal sealed class TenantLoader(
    TenantRegistry registry,
    ConfigurationSeeds seeds,
    TenantFollower follower,
    IEnumerable<ITenantSource> sources,
    ITenantAdministration administration,
    IPlatformFactory platforms,
    RedisConnection redis,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILoggerFactory loggers
) : IHostedService, IDisposable
{
    private const int Many = 10_000;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long the start waits for the tenants and, after those of the store are known, for platforms and sources.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TenantSourceFollower[] _followers =
    [
        .. Distinct(sources)
            .Select(source => new TenantSourceFollower(
                source,
                administration,
                registry,
                time,
                loggers.CreateLogger<TenantSourceFollower>()
            )),
    ];

    private readonly ILogger _logger = loggers.CreateLogger<TenantLoader>();
    private ChangePosition _position;
    private Task? _building;
    private Task _running = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // A mistake in a handler or in the connection's settings stops the start here.
        platforms.Prepare();
        _ = redis.IsEmbedded;
        var loading = TryLoadAsync();
        await Task.WhenAny(loading, Task.Delay(Patience, time, _stopping.Token)).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (loading.IsCompleted)
        {
            // What cannot be loaded stops the start, too, where that is known by now.
            await loading.ConfigureAwait(false);
        }

        _running = RunAsync(loading);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // Sources are foreign code: what one throws as it is told of the end keeps nothing else from ending.
        await _stopping.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_running, registry.Checks.FlushAsync())
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Cancelled, not disposed, as BackgroundService does: a host may be stopped by one who races with its disposal (WebApplicationFactory
    // is).
    public void Dispose() => _ = _stopping.CancelAsync();

    private static IEnumerable<ITenantSource> Distinct(IEnumerable<ITenantSource> sources) =>
        sources.CountBy(source => TenantOrigin.Source(source.GetType())).FirstOrDefault(origin => origin.Value > 1).Key is { } origin
            ? throw new InvalidOperationException(
                $"There are several sources of tenants '{origin}': each would take away what the others give. Give each a class of its "
                    + "own, or make them one."
            )
            : sources;

    private async Task RunAsync(Task<Task<bool>[]?> loading)
    {
        Task<bool>[] passes;
        try
        {
            passes = await loading.ConfigureAwait(false) ?? await RetryAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (!_stopping.IsCancellationRequested)
        {
            _logger.LoadFailed(exception);
            lifetime.StopApplication();
            return;
        }

        await Task.WhenAll([
                CompleteAsync(passes),
                follower.RunAsync(_position, _stopping.Token),
                .. _followers.Select((follower, index) => follower.RunAsync(passes[index], _stopping.Token)),
            ])
            .ConfigureAwait(false);
    }

    private async Task CompleteAsync(Task<bool>[] passes)
    {
        await Task.WhenAll(passes).ConfigureAwait(false);
        registry.MarkComplete();
    }

    private async Task<Task<bool>[]> RetryAsync()
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
        {
            if (await TryLoadAsync().ConfigureAwait(false) is { } passes)
            {
                return passes;
            }
        }

        throw new OperationCanceledException(_stopping.Token);
    }

    /// <returns>The first passes of the followers, which may still run; null where the store is away.</returns>
    private async Task<Task<bool>[]?> TryLoadAsync()
    {
        try
        {
            if (_building is null)
            {
                // Once: what changes later is followed from this position on, also where the store goes away before the rest is done.
                _position = await registry.Stored.LoadAsync(_stopping.Token).ConfigureAwait(false);
                _building = registry.Stored.BuildAsync(_stopping.Token);
            }

            await seeds.SeedAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception)
        {
            _logger.StoreAwayAtStart(exception);
            return null;
        }

        var patience = Task.Delay(Patience, time, _stopping.Token);
        var passes = await BeginToFollowAsync(patience).ConfigureAwait(false);
        if (await Task.WhenAny(_building, patience).ConfigureAwait(false) != _building)
        {
            _logger.PlatformsSlow();
        }

        LetGoOfWhatWasRead();
        registry.MarkLoaded();
        _logger.TenantsLoaded(registry.Count);
        seeds.Watch(_stopping.Token);
        return passes;
    }

    // What very many tenants were read from is as large as they are. No request waits yet while it is given back to the machine.
    private void LetGoOfWhatWasRead()
    {
        if (registry.Count >= Many)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    /// <summary>Applies the sources, in their order while they are quick: of two that give the same tenant, the first has it.</summary>
    private async Task<Task<bool>[]> BeginToFollowAsync(Task patience)
    {
        var passes = new Task<bool>[_followers.Length];
        for (var i = 0; i < passes.Length; i++)
        {
            // On a thread of its own: a source may block it, too.
            var follower = _followers[i];
            passes[i] = Task.Run(() => follower.TryFollowAsync(_stopping.Token));
            if (await Task.WhenAny(passes[i], patience).ConfigureAwait(false) != passes[i])
            {
                _logger.SourceSlow(follower.Name);
            }
        }

        return passes;
    }
}
