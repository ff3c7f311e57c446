using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Fleet;

/// <summary>
/// What a node does in the background again and again: at the start, at every interval, and something when the server stops. A host stops
/// where such work throws; here whatever goes wrong in one turn is logged, and the node serves on until the next.
/// </summary>
internal abstract class RepeatedWork(TimeSpan interval, TimeProvider time, ILogger logger) : BackgroundService
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _isFailing;

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await TryAsync(EndAsync, CancellationToken.None).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                await TryAsync(() => DoAsync(stoppingToken), stoppingToken).ConfigureAwait(false);
            } while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A host that is disposed without being stopped would take it for a failure.
        }
    }

    /// <summary>One turn.</summary>
    protected abstract Task DoAsync(CancellationToken stopping);

    /// <summary>What is left to do when the server stops.</summary>
    protected virtual Task EndAsync() => Task.CompletedTask;

    /// <summary>Does what must not be done twice at once: somebody may ask for it in the middle of a turn.</summary>
    protected async Task DoAloneAsync(Func<Task> work)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await work().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task TryAsync(Func<Task> work, CancellationToken stopping)
    {
        try
        {
            await work().ConfigureAwait(false);
            _isFailing = false;
        }
        catch (StoreUnavailableException)
        {
            // Whoever needs the store for a request says that it is away.
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            // Once for a row of turns that fail: they may come each second.
            if (!_isFailing)
            {
                _isFailing = true;
                logger.WorkFailed(exception, GetType().Name);
            }
        }
    }
}
