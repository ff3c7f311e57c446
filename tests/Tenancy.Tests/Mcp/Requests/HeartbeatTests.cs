using Microsoft.Extensions.Time.Testing;
using Tenancy.Mcp.Requests;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>What is done at every interval, one after the other, until its end.</summary>
public sealed class HeartbeatTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    // Of a test that would hang without it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_beat_that_blocks_its_thread_holds_up_neither_the_timer_nor_those_who_begin_to_end_it()
    {
        using var end = new ManualResetEventSlim();
        var begun = new TaskCompletionSource();
        var heartbeat = new Heartbeat(_time, Interval, () =>
        {
            begun.SetResult();
            end.Wait(Token);
            return Task.CompletedTask;
        });
        await Task.Run(() => _time.Advance(Interval), Token).WaitAsync(Patience, Token);
        await begun.Task.WaitAsync(Patience, Token);

        // A second one does not begin meanwhile: it would complete the source again, and fail.
        _time.Advance(Interval);
        var ending = heartbeat.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        end.Set();
        await ending.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task Nothing_runs_after_its_end()
    {
        var beats = 0;
        var heartbeat = new Heartbeat(_time, Interval, () =>
        {
            Interlocked.Increment(ref beats);
            return Task.CompletedTask;
        });
        _time.Advance(Interval);
        await heartbeat.DisposeAsync();
        Assert.Equal(1, beats);
        _time.Advance(Interval);
        Assert.Equal(1, beats);
    }
}
