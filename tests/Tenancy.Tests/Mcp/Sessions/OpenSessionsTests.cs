using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>What a node remembers of the sessions that its MCP SDK has.</summary>
public sealed class OpenSessionsTests
{
    private const string Version = "2025-11-25";

    // Of a test that would hang without it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TenantId Acme = TenantId.Parse("acme");
    private static readonly TenantId Globex = TenantId.Parse("globex");
    private readonly CountingClock _clock = new();

    [Fact]
    public void A_session_is_one_of_its_tenant_only()
    {
        var sessions = new OpenSessions(_clock);
        sessions.Add(Acme, "a", Version);
        Assert.NotNull(sessions.Find(Acme, "a"));
        Assert.Null(sessions.Find(Globex, "a"));
        Assert.Null(sessions.Find(Acme, "A"));
        sessions.End(Globex, "a");
        Assert.NotNull(sessions.Find(Acme, "a"));
        sessions.End(Acme, "a");
        Assert.Null(sessions.Find(Acme, "a"));
    }

    [Fact]
    public void The_sessions_of_a_tenant_that_is_gone_are_forgotten_and_those_of_others_are_not()
    {
        var sessions = new OpenSessions(_clock);
        for (var i = 0; i < 10; i++)
        {
            sessions.Add(i % 2 == 0 ? Acme : Globex, $"{i}", Version);
        }

        sessions.OnTenantChanged(new(TenantChangeKind.Removed, Acme, Before: null, After: null));
        Assert.Equal(5, sessions.Count);
        Assert.Null(sessions.Find(Acme, "0"));
        Assert.NotNull(sessions.Find(Globex, "1"));
    }

    [Fact]
    public void Sessions_that_nobody_uses_are_forgotten_when_there_are_many()
    {
        var sessions = new OpenSessions(_clock);
        for (var i = 0; i < 20_000; i++)
        {
            sessions.Add(Acme, $"{i}", Version);
        }

        _clock.Advance(SessionStore.Lifetime);
        sessions.Find(Acme, "7")!.IsDueAtSdk();
        _clock.Advance(TimeSpan.FromMinutes(1));
        sessions.Add(Acme, "new", Version);
        Assert.Equal(2, sessions.Count);
        Assert.NotNull(sessions.Find(Acme, "7"));
        Assert.NotNull(sessions.Find(Acme, "new"));
    }

    [Fact]
    public void Many_sessions_that_are_used_are_not_looked_through_for_each_new_one()
    {
        var sessions = new OpenSessions(_clock);
        for (var i = 0; i < 20_000; i++)
        {
            sessions.Add(Acme, $"{i}", Version);
        }

        var before = _clock.Looks;
        for (var i = 0; i < 1_000; i++)
        {
            sessions.Add(Acme, $"more {i}", Version);
        }

        // Each new one looks at the clock itself, and all may be looked through once.
        Assert.InRange(_clock.Looks - before, 0, 30_000);
    }

    [Fact]
    public async Task Once_a_minute_one_request_of_many_goes_to_the_sdk()
    {
        var session = new OpenSession(Version, _clock);
        Assert.Equal(0, await DueAsync(session));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await DueAsync(session));
        for (var minute = 0; minute < 3; minute++)
        {
            _clock.Advance(TimeSpan.FromSeconds(61));
            Assert.Equal(1, await DueAsync(session));
            Assert.Equal(0, await DueAsync(session));
        }
    }

    [Theory]
    [InlineData("2025-11-25", null, true)]
    [InlineData("2025-11-25", "2025-11-25", true)]
    [InlineData("2025-11-25", "2025-06-18", false)]
    [InlineData("2025-11-25", "2026-07-28", false)]
    [InlineData("2025-03-26", null, true)]
    [InlineData("2024-11-05", null, false)]
    [InlineData("2024-11-05", "2024-11-05", false)]
    [InlineData("2026-07-28", null, true)]
    [InlineData("2026-07-28", "2026-07-28", false)]
    [InlineData("2099-01-01", null, true)]
    [InlineData("2099-01-01", "2025-11-25", true)]
    [InlineData("2099-01-01", "2099-01-01", false)]
    [InlineData("1999-01-01", null, false)]
    [InlineData(null, null, false)]
    public void A_session_takes_requests_of_the_revision_that_was_agreed_on(string? requested, string? sent, bool takes)
    {
        var sessions = new OpenSessions(_clock);
        sessions.Add(Acme, "a", requested);
        Assert.Equal(takes, sessions.Find(Acme, "a")!.Takes(sent));
    }

    [Fact]
    public async Task A_cancellation_ends_the_call_of_its_id_and_no_other()
    {
        var session = new OpenSession(Version, _clock);
        using var one = session.Begin("\"1");
        using var other = session.Begin("1");
        Assert.False(session.TryCancel("2"));
        Assert.True(session.TryCancel("\"1"));
        await UntilCancelledAsync(one.Token);
        Assert.False(other.IsCancellationRequested);

        // What has just ended here may be cancelled: its client could not know.
        session.End("1", other);
        Assert.True(session.TryCancel("1"));
        Assert.False(other.IsCancellationRequested);
    }

    [Fact]
    public void A_question_is_answered_once()
    {
        var session = new OpenSession(Version, _clock);
        var id = "\"" + session.Ask(new(1)).Id;
        Assert.False(session.TryAnswer("1"));
        Assert.True(session.TryAnswer(id));
        Assert.False(session.TryAnswer(id));
        Assert.Equal(new(1), session.Forget(id));
        Assert.Null(session.Forget(id));
        session.Ask(new(2));
        Assert.Null(session.GiveUp(new(1)));
        var given = session.GiveUp(new(2))!.Value;
        Assert.False(session.TryAnswer("\"" + given.Id));
    }

    [Fact]
    public async Task A_session_that_the_sdk_has_with_another_platforms_tools_is_renewed_once()
    {
        var session = new OpenSession(Version, _clock);
        var (one, other) = (Kind("one"), Kind("other"));
        var (renewals, done) = (0, new TaskCompletionSource());
        session.NoteSdk(one);
        Assert.True(Renew(one).IsCompleted);
        var renewing = new[] { Renew(other), Renew(other) };
        Assert.DoesNotContain(renewing, renewal => renewal.IsCompleted);
        done.SetResult();
        await Task.WhenAll(renewing);
        session.NoteSdk(other);
        await Renew(other);
        Assert.Equal(1, renewals);

        Task Renew(PlatformKind kind) => session.RenewAsync(kind, () =>
            {
                renewals++;
                return done.Task;
            });
    }

    [Fact]
    public async Task A_renewal_that_blocks_its_thread_holds_up_nobody_else()
    {
        var session = new OpenSession(Version, _clock);
        var (one, other) = (Kind("one"), Kind("other"));
        session.NoteSdk(one);
        using var end = new ManualResetEventSlim();
        var asking = Task.Factory.StartNew(
            () => session.RenewAsync(other, Block),
            TestContext.Current.CancellationToken,
            default,
            TaskScheduler.Default
        );
        var renewing = await asking.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await Task.Run(() => session.NoteSdk(other), TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(renewing.IsCompleted);
        end.Set();
        await renewing;

        Task Block()
        {
            end.Wait();
            return Task.CompletedTask;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_renewal_that_fails_is_told_to_those_who_wait_and_tried_again_by_the_next(bool failsAtOnce)
    {
        var session = new OpenSession(Version, _clock);
        var (one, other) = (Kind("one"), Kind("other"));
        session.NoteSdk(one);
        var failing = new TaskCompletionSource();
        Func<Task> fail = () => failsAtOnce ? throw new InvalidOperationException("first") : failing.Task;
        var first = session.RenewAsync(other, fail);
        failing.TrySetException(new InvalidOperationException("first"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);

        // Who holds the tenant as it was before needs no renewal.
        await session.RenewAsync(one, () => throw new InvalidOperationException("none needed"));
        var renewals = 0;
        for (var i = 0; i < 2; i++)
        {
            await session.RenewAsync(other, () =>
            {
                renewals++;
                return Task.CompletedTask;
            });
        }

        Assert.Equal(1, renewals);
    }

    [Fact]
    public async Task A_call_that_begins_in_a_session_that_has_just_ended_is_cancelled_at_once()
    {
        var sessions = new OpenSessions(_clock);
        sessions.Add(Acme, "a", Version);
        var session = sessions.Find(Acme, "a")!;
        sessions.End(Acme, "a");
        using var call = session.Begin("1");
        await UntilCancelledAsync(call.Token);
        session.End("1", call);
    }

    [Fact]
    public void A_cancellation_that_comes_as_its_call_ends_is_too_late_and_no_error()
    {
        var session = new OpenSession(Version, _clock);
        var call = session.Begin("1");
        call.Dispose();
        session.TryCancel("1");
        session.End("1", call);
    }

    [Fact]
    public async Task A_session_that_comes_back_to_the_sdk_still_knows_its_calls()
    {
        var sessions = new OpenSessions(_clock);
        sessions.Add(Acme, "a", Version);
        using var call = sessions.Find(Acme, "a")!.Begin("1");
        _clock.Advance(TimeSpan.FromMinutes(2));
        sessions.Add(Acme, "a", Version);
        Assert.False(sessions.Find(Acme, "a")!.IsDueAtSdk());
        sessions.Find(Acme, "a")!.TryCancel("1");
        await UntilCancelledAsync(call.Token);
    }

    private static PlatformKind Kind(string name) =>
        new(
            name,
            new(typeof(OpenSessionsTests), null!, new ServiceCollection().BuildServiceProvider()),
            (_, _) => Task.FromResult(new object()),
            NullLogger<PlatformInstance>.Instance
        );

    // What hears of it runs elsewhere.
    private static async Task UntilCancelledAsync(CancellationToken token) =>
        await Task.Delay(TimeSpan.FromSeconds(20), token).ContinueWith(wait => Assert.True(wait.IsCanceled), TaskScheduler.Default);

    private static async Task<int> DueAsync(OpenSession session)
    {
        using var start = new ManualResetEventSlim();
        var asked = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Factory.StartNew(
                    () =>
                    {
                        start.Wait(TestContext.Current.CancellationToken);
                        return Enumerable.Range(0, 100).Count(_ => session.IsDueAtSdk());
                    },
                    TestContext.Current.CancellationToken,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                )
            )
            .ToArray();
        start.Set();
        return (await Task.WhenAll(asked)).Sum();
    }

    private sealed class CountingClock : FakeTimeProvider
    {
        private long _looks;

        public long Looks => Volatile.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }
}
