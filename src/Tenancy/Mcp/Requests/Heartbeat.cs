using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Mcp.Requests;

/// <summary>Keeps connections awake on which nothing else is written: what stands in between cuts silent ones.</summary>
internal sealed class Heartbeats(TimeProvider time, IOptions<TenancyOptions> options)
{
    /// <summary>Gets how long a connection may be silent.</summary>
    public TimeSpan Interval { get; } = options.Value.HeartbeatInterval;

    /// <summary>Does something at every interval.</summary>
    public Heartbeat Begin(Func<Task> beat) => new(time, Interval, beat);
}

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
                _beating = BeatAsync();
            }
        }
    }

    private async Task BeatAsync() => await _beat().ConfigureAwait(false);
}
