namespace Tenancy.Mcp.Requests;

/// <summary>Does something at every interval until it is disposed, one after the other.</summary>
/// <remarks>After it was disposed nothing of it runs any more, so that its target can be used by somebody else.</remarks>
internal sealed class Heartbeat : IAsyncDisposable
{
    private readonly Func<Task> _beat;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private Task _beating = Task.CompletedTask;
    private bool _isOver;

    public Heartbeat(TimeProvider time, TimeSpan interval, Func<Task> beat)
    {
        _beat = beat;
        _timer = time.CreateTimer(static heartbeat => ((Heartbeat)heartbeat!).Beat(), this, interval, interval);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isOver = true;
        }

        await _timer.DisposeAsync().ConfigureAwait(false);

        // What it writes to may be gone: then nobody is there to be told.
        await _beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Beat()
    {
        lock (_lock)
        {
            if (!_isOver && _beating.IsCompleted)
            {
                // Elsewhere: what it runs, such as the callbacks at an answer's first byte, may take its time, and whoever disposes this
                // waits for the lock.
                _beating = Task.Run(_beat);
            }
        }
    }
}
