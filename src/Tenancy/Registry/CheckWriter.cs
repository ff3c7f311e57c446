using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>
/// Keeps the health of tenants in the store, behind the checks: a slow store delays no check, and of several results the last is kept.
/// </summary>
internal sealed class CheckWriter(ITenantStore store, ILogger logger)
{
    private readonly ConcurrentDictionary<TenantState, Task> _running = new();

    /// <summary>Writes the present health of a tenant soon. While a write runs, all that comes is one more after it.</summary>
    public void Enqueue(TenantState state)
    {
        if (state.TryBeginWrite())
        {
            var running = RunAsync(state);
            if (!running.IsCompleted)
            {
                _running[state] = running;
                _ = running.ContinueWith(
                    ended => _running.TryRemove(KeyValuePair.Create(state, ended)),
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default
                );
            }
        }
    }

    /// <summary>Gets how many tenants' health is being written.</summary>
    public int Count => _running.Count;

    /// <summary>Waits for what was enqueued.</summary>
    public Task FlushAsync() => Task.WhenAll(_running.Values);

    private async Task RunAsync(TenantState state)
    {
        do
        {
            if (state.Model is { } model)
            {
                await WriteAsync(model).ConfigureAwait(false);
            }
        } while (!state.TryEndWrite());
    }

    private async Task WriteAsync(TenantModel model)
    {
        try
        {
            await store.WriteCheckAsync(model.Id, model.Version, model.Record.Check).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception)
        {
            // The node goes on with what it knows; the next check writes again.
            logger.HealthNotStored(exception, model.Id.Value);
        }
    }
}
