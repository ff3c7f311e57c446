using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>Checks tenants again and again, each at its own time. One timer waits for the next that is due.</summary>
internal sealed class Rechecks(TenantRegistry registry, RecheckSchedule schedule, TimeProvider time, ILogger<Rechecks> logger)
    : IHostedService,
        IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        using (ExecutionContext.SuppressFlow())
        {
            _timer = time.CreateTimer(
                static rechecks => ((Rechecks)rechecks!).RunDue(),
                this,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan
            );
        }

        schedule.Start(wait => _timer.Change(wait, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // Validators are foreign code: what one throws as it is told of the end keeps nothing else from ending.
        await _stopping.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        schedule.Stop();
        _timer?.Dispose();

        // Each gives back the claim that it has.
        await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        // Cancelled, not disposed: a host may be stopped by one who races with its disposal.
        _ = _stopping.CancelAsync();
        schedule.Stop();
        _timer?.Dispose();
    }

    // Each check waits for nobody else's, and begins on a thread of its own: a provider that hangs or blocks costs its own tenant alone.
    private void RunDue()
    {
        foreach (var check in schedule.TakeDue())
        {
            Keep(RunAsync(check));
        }
    }

    private void Keep(Task check)
    {
        _running.TryAdd(check, true);
        _ = check.ContinueWith(
            static (done, running) => ((ConcurrentDictionary<Task, bool>)running!).TryRemove(done, out _),
            _running,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    private async Task RunAsync(DueCheck check)
    {
        try
        {
            var isNew = await registry.Checks.RecheckInTurnAsync(check.TenantId, _stopping.Token).ConfigureAwait(false);
            schedule.Complete(check, () => registry.Get(check.TenantId), isNew);
        }
        catch (Exception exception) when (exception is TenantNotFoundException or OperationCanceledException)
        {
            // The tenant is gone, or the server stops.
        }
        catch (Exception exception)
        {
            logger.RecheckFailed(exception, check.TenantId.Value);
        }
    }
}
