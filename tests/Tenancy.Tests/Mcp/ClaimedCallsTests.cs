using Microsoft.Extensions.Logging.Abstractions;
using Tenancy.Mcp;

namespace Tenancy.Tests.Mcp;

/// <summary>A server that stops gives back the keys of the handlers that it must end.</summary>
public sealed class ClaimedCallsTests
{
    [Fact]
    public async Task A_handler_that_throws_as_it_is_told_of_the_end_keeps_no_key()
    {
        using var calls = new ClaimedCalls(NullLogger<ClaimedCalls>.Instance);
        await using var throwing = calls.MustEnd.Register(() => throw new InvalidOperationException("told"));
        var (handler, given) = (new TaskCompletionSource<bool>(), 0);
        var running = new[] { RunAsync(), RunAsync() };
        await calls.StopAsync(new CancellationToken(canceled: true));
        Assert.Equal(2, given);
        handler.SetResult(true);
        await Task.WhenAll(running);

        Task<bool> RunAsync() =>
            calls.RunAsync(
                () => handler.Task,
                () =>
                {
                    given++;
                    return Task.CompletedTask;
                }
            );
    }

    [Fact]
    public async Task A_handler_that_throws_as_it_is_told_of_the_end_keeps_nobody_from_being_disposed_of()
    {
        var calls = new ClaimedCalls(NullLogger<ClaimedCalls>.Instance);
        var told = new TaskCompletionSource();
        await using var last = calls.MustEnd.Register(told.SetResult);
        await using var throwing = calls.MustEnd.Register(() => throw new InvalidOperationException("told"));
        calls.Dispose();
        await told.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }
}
