using System.Collections.Concurrent;
using System.Net;

namespace Tenancy.Outbound;

/// <summary>
/// Resolves names. The operating system's look-up blocks a thread, on Linux for as long as the name servers do not answer, and goes on
/// after whoever asked for it has given up. Hundreds of names that lead nowhere would take the threads of the pool from all requests:
/// look-ups have threads of their own, few of them, and names that hang or that nobody knows yet take none from those that answer.
/// </summary>
internal sealed class NameLookups : IDisposable
{
    /// <summary>The most look-ups at once of names that answered in time lately, and as many of names that were never asked for.</summary>
    public const int MaxAtOnce = 16;

    /// <summary>The most look-ups at once of names that hung lately.</summary>
    public const int MaxSlowAtOnce = 8;

    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(2);

    private readonly Func<string, IPAddress[]> _resolve;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _quick = new(MaxAtOnce);
    private readonly SemaphoreSlim _unknown = new(MaxAtOnce);
    private readonly SemaphoreSlim _slow = new(MaxSlowAtOnce);
    private readonly ConcurrentDictionary<string, bool> _wasQuick = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Task<IPAddress[]>> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();

    public NameLookups(TimeProvider time)
        : this(Dns.GetHostAddresses, time) { }

    internal NameLookups(Func<string, IPAddress[]> resolve, TimeProvider time) => (_resolve, _time) = (resolve, time);

    /// <summary>Resolves a name. Who asks for one that is being looked up shares that look-up.</summary>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Ends the wait, not the look-up.</param>
    public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_running.TryGetValue(name, out var lookup))
            {
                _running[name] = lookup = RunAsync(name);
                _ = lookup.ContinueWith(
                    static task => _ = task.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default
                );
            }

            return lookup.WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        // A look-up that still runs fails when it gives its turn back to what is disposed of. Nobody waits for it any more.
        _quick.Dispose();
        _unknown.Dispose();
        _slow.Dispose();
    }

    private async Task<IPAddress[]> RunAsync(string name)
    {
        // Yields first: the caller notes this look-up as running only after this method has returned.
        await Task.Yield();
        var turn =
            !_wasQuick.TryGetValue(name, out var wasQuick) ? _unknown
            : wasQuick ? _quick
            : _slow;
        await turn.WaitAsync().ConfigureAwait(false);
        var began = _time.GetTimestamp();
        try
        {
            return await Task
                .Factory.StartNew(() => _resolve(name), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
        }
        finally
        {
            Remember(name, _time.GetElapsedTime(began) < InTime);
            turn.Release();
            lock (_lock)
            {
                _running.Remove(name);
            }
        }
    }

    private void Remember(string name, bool wasQuick)
    {
        if (_wasQuick.Count >= MaxRemembered)
        {
            _wasQuick.Clear();
        }

        _wasQuick[name] = wasQuick;
    }
}
