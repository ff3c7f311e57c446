using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>A turn that fails ends neither the work nor the node, and is said once.</summary>
public sealed class RepeatedWorkTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_that_fails_is_followed_by_the_next_and_a_row_of_them_is_logged_once()
    {
        using var log = new LogRecorder();
        var turns = new List<int>();
        using var work = new Work(_time, log, turn =>
        {
            turns.Add(turn);
            return turn is 1 or 2 or 4 ? throw new InvalidOperationException("unforeseen")
                : turn == 5 ? throw new StoreUnavailableException(new TimeoutException())
                : Task.CompletedTask;
        });
        await work.StartAsync(Token);
        for (var turn = 1; turn <= 6; turn++)
        {
            await Poll.UntilAsync(() => Task.FromResult(turns.Count == turn));
            _time.Advance(Work.Interval);
        }

        await Poll.UntilAsync(() => Task.FromResult(turns.Count == 7));
        await work.StopAsync(Token);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 0], turns);
        Assert.Equal(2, log.Entries.Count(entry => entry.Event == "WorkFailed"));
    }

    private sealed class Work(TimeProvider time, ILogger logger, Func<int, Task> turn) : RepeatedWork(Interval, time, logger)
    {
        public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
        private int _turns;

        protected override Task DoAsync(CancellationToken stopping) => turn(++_turns);

        protected override Task EndAsync() => turn(0);
    }
}
