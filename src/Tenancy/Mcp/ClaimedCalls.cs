using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Mcp;

/// <summary>
/// The handlers that run on this node although nobody may wait for them any more: those of claimed requests, and others that go on after
/// their clients have left. A server that stops waits for them by itself; it gives back the keys of those that it must end.
/// </summary>
internal sealed class ClaimedCalls(ILogger<ClaimedCalls> logger) : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<Entry, bool> _running = new();
    private readonly CancellationTokenSource _end = new();

    /// <summary>Cancelled when the server cannot wait for handlers any longer.</summary>
    public CancellationToken MustEnd => _end.Token;

    /// <summary>Gets how many run.</summary>
    public int Count => _running.Count;

    /// <summary>Runs a handler.</summary>
    /// <param name="work">The handler, up to its commit.</param>
    /// <param name="giveBack">
    /// Gives the key back, so that the same request may run again at once. What the handler still writes is lost. Null where it has no key.
    /// </param>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, Func<Task>? giveBack = null)
    {
        var entry = new Entry(giveBack ?? (static () => Task.CompletedTask));
        _running.TryAdd(entry, true);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _running.TryRemove(entry, out _);
            entry.Ended.SetResult();
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Waits for what runs, until the host's time to stop is over. The web server takes no request any more by then.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_running.Keys.Select(entry => entry.Ended.Task))
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var left = _running.Keys.ToArray();
        if (left.Length == 0)
        {
            return;
        }

        logger.HandlersEnded(left.Length);

        // A handler that listens gives its key back itself. For one that does not, its key is given back all the same: what it would commit
        // later is refused, because the claim is not current any more. So it is where a handler throws as it is told of the end.
        await _end.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(left.Select(entry => entry.GiveBack())).ConfigureAwait(false);
    }

    // Cancelled, not disposed: a host may be stopped by one who races with its disposal. What handlers do at that is foreign code: it runs
    // elsewhere, and what it throws keeps nobody from being disposed of.
    public void Dispose() => _ = _end.CancelAsync();

    private sealed class Entry(Func<Task> giveBack)
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Func<Task> GiveBack { get; } = giveBack;
    }
}
