using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Tier(Tier.Process)]
public sealed class RateLimiterTests(TestStores stores)
{
    private readonly MovableClock _time = new();

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task All_of_a_minute_may_come_at_once_and_no_more(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = Limiter(store);
        for (var left = 29; left >= 0; left--)
        {
            var allowed = await limiter.AcquireAsync(RateLimit.Tenant(30));
            Assert.True(allowed.IsAllowed);
            Assert.Equal(left, allowed.Remaining);
        }

        var refused = await limiter.AcquireAsync(RateLimit.Tenant(30));
        Assert.False(refused.IsAllowed);
        Assert.Equal(0, refused.Remaining);
        Assert.InRange(refused.RetryAfter.TotalSeconds, 0.5, 2);
        Assert.InRange(refused.Reset.TotalSeconds, 58, 60);
        Assert.Equal("tenant", refused.Limit.Policy);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Requests_come_back_at_the_steady_rate(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = Limiter(store);
        Assert.Equal(6, await CountAsync(limiter, 10, RateLimit.Tenant(6)));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(3, await CountAsync(limiter, 10, RateLimit.Tenant(6)));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(6, await CountAsync(limiter, 10, RateLimit.Tenant(6)));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task For_a_generation_that_has_ended_nothing_is_written_and_the_node_counts_by_itself(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        string generation = $"tenant:{{{store.Tenant}}}:generation";
        await (await store.RawAsync()).StringSetAsync(generation, 2);
        var late = new TestLimiter(store.Redis, _time, store.Tenant, generation: 1);
        Assert.Equal(6, await CountAsync(late, 10, RateLimit.Tenant(6)));
        await late.GiveBackAsync(RateLimit.Tenant(6));
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            late.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(60)).AsTask()
        );
        Assert.Equal([generation], await store.KeysAsync($"*{store.Tenant}*"));

        var current = new TestLimiter(store.Connect(), _time, store.Tenant, generation: 2);
        Assert.Equal(6, await CountAsync(current, 10, RateLimit.Tenant(6)));
        Assert.Equal(2, (await store.KeysAsync($"*{store.Tenant}*")).Length);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task It_is_exact_for_64_callers_over_several_connections(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiters = store.Connect(4).Select(redis => new TestLimiter(redis, _time, store.Tenant)).ToArray();
        var allowed = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    for (var i = 0; i < 20; i++)
                    {
                        if ((await limiters[task % 4].AcquireAsync(RateLimit.Tenant(6), RateLimit.Caller($"caller-{task}", 5))).IsAllowed)
                        {
                            Interlocked.Increment(ref allowed);
                        }
                    }
                })
        );
        Assert.Equal(6, allowed);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_caller_over_its_limit_spends_nothing_of_its_tenants(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = Limiter(store);
        Assert.Equal(5, await CountAsync(limiter, 20, RateLimit.Tenant(10), RateLimit.Caller("greedy", 5)));
        var refused = await limiter.AcquireAsync(RateLimit.Tenant(10), RateLimit.Caller("greedy", 5));
        Assert.Equal("caller", refused.Limit.Policy);
        Assert.Equal(5, await CountAsync(limiter, 20, RateLimit.Tenant(10), RateLimit.Caller("other", 9)));
        Assert.Equal("tenant", (await limiter.AcquireAsync(RateLimit.Tenant(10), RateLimit.Caller("third", 9))).Limit.Policy);
        Assert.Equal(3, await CountAsync(limiter, 20, RateLimit.Anonymous("192.0.2.1", 3)));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_changed_limit_counts_from_the_next_request_on(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = Limiter(store);
        Assert.Equal(5, await CountAsync(limiter, 20, RateLimit.Tenant(5)));
        var raised = await limiter.AcquireAsync(RateLimit.Tenant(600));
        Assert.True(raised.IsAllowed);
        Assert.InRange(raised.Remaining, 594, 599);
        var lowered = await limiter.AcquireAsync(RateLimit.Tenant(2));
        Assert.False(lowered.IsAllowed);
        Assert.InRange(lowered.RetryAfter.TotalSeconds, 1, 30);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Tenants_do_not_share_limits(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        Assert.Equal(3, await CountAsync(Limiter(store), 5, RateLimit.Tenant(3)));
        Assert.Equal(3, await CountAsync(new(store.Redis, _time, TestStore.NewTenant()), 5, RateLimit.Tenant(3)));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_request_with_a_session_is_counted_and_touches_it_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var limiter = Limiter(store);
        await sessions.BeginAsync("s", new("epoch", "me"));
        Assert.True((await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(5))).IsOwnSession);
        Assert.False((await limiter.AcquireAndTouchAsync("s", new("epoch", "you"), RateLimit.Tenant(5))).IsOwnSession);
        Assert.False((await limiter.AcquireAndTouchAsync("none", new("epoch", "me"), RateLimit.Tenant(5))).IsOwnSession);

        _time.Advance(SessionStore.Lifetime - TimeSpan.FromMinutes(1));
        Assert.True((await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(5))).IsOwnSession);
        _time.Advance(SessionStore.Lifetime - TimeSpan.FromMinutes(1));
        Assert.True((await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(5))).IsOwnSession);
        _time.Advance(SessionStore.Lifetime + TimeSpan.FromMinutes(1));
        Assert.False((await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(5))).IsOwnSession);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_refused_request_does_not_prolong_its_session(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = Limiter(store);
        await new SessionStore(store.Redis, store.Tenant, generation: 0).BeginAsync("s", new("epoch", "me"));
        _time.Advance(SessionStore.Lifetime - TimeSpan.FromSeconds(10));
        Assert.Equal(1, await CountAsync(limiter, 1, RateLimit.Tenant(1)));
        var refused = await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(1));
        Assert.False(refused.IsAllowed);
        Assert.Null(refused.IsOwnSession);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.False((await limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(1))).IsOwnSession);
    }

    [Fact]
    public void In_memory_the_rates_are_the_same()
    {
        var time = new FakeTimeProvider();
        var local = new LocalRateLimiter(time);
        var (acme, globex) = (TenantId.Parse("acme"), TenantId.Parse("globex"));
        Assert.Equal(6, Enumerable.Range(0, 20).Count(_ => local.Acquire(acme, [RateLimit.Tenant(6)]).IsAllowed));
        Assert.Equal(6, Enumerable.Range(0, 20).Count(_ => local.Acquire(globex, [RateLimit.Tenant(6)]).IsAllowed));
        var refused = local.Acquire(acme, [RateLimit.Tenant(6)]);
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)), (refused.RetryAfter, refused.Reset));
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(2, local.Acquire(acme, [RateLimit.Tenant(6)]).Remaining);
        Assert.Equal(
            1,
            Enumerable.Range(0, 20).Count(_ => local.Acquire(acme, [RateLimit.Tenant(6), RateLimit.Caller("me", 1)]).IsAllowed)
        );
        Assert.Equal(0, local.Acquire(acme, [RateLimit.Tenant(6)]).Remaining);
    }

    [Fact]
    public void In_memory_it_is_exact_for_64_callers_and_forgets_what_is_full_again()
    {
        var time = new FakeTimeProvider();
        var local = new LocalRateLimiter(time);
        var acme = TenantId.Parse("acme");
        var allowed = 0;
        Parallel.For(0, 6400, _ => Interlocked.Add(ref allowed, local.Acquire(acme, [RateLimit.Tenant(100)]).IsAllowed ? 1 : 0));
        Assert.Equal(100, allowed);
        for (var i = 0; i < 9_998; i++)
        {
            local.Acquire(acme, [RateLimit.Anonymous($"address-{i}", 60)]);
        }

        Assert.Equal(9_999, local.Count);
        time.Advance(TimeSpan.FromMinutes(1));
        local.Acquire(acme, [RateLimit.Tenant(100)]);
        local.Acquire(acme, [RateLimit.Anonymous("one more", 60)]);
        Assert.Equal(2, local.Count);
    }

    [Fact]
    public async Task Who_waits_for_a_trip_is_decided_also_where_to_count_here_fails()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Embedded);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();

        var meters = services.GetRequiredService<IMeterFactory>();

        // Whoever takes the measurements of the server may fail at any of them.
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "tenancy.limit.trips" && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(
            static (_, _, tags, _) =>
            {
                if (tags[0].Value is "local")
                {
                    throw new InvalidOperationException("It takes no measurements.");
                }
            }
        );
        listener.Start();
        using var mayFail = new ManualResetEventSlim();
        var hasBegun = new TaskCompletionSource();
        var redis = own.Store.Connect(
            profiler: () =>
            {
                hasBegun.TrySetResult();
                mayFail.Wait(CancellationToken.None);
                throw new StackExchange.Redis.RedisException("The store is away.");
            },
            metrics: new(meters, 1)
        );
        var limiter = new TestLimiter(redis, _time, own.Store.Tenant);
        var first = Task.Run(() => limiter.AcquireAsync(RateLimit.Tenant(60)).AsTask());
        await hasBegun.Task;

        // These go with the next trip, which one of them makes.
        Task[] all = [first, limiter.AcquireAsync(RateLimit.Tenant(60)).AsTask(), limiter.AcquireAsync(RateLimit.Tenant(60)).AsTask()];
        mayFail.Set();
        foreach (var waiting in all)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() =>
                waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)
            );
        }
    }

    private TestLimiter Limiter(TestStore store) => new(store.Redis, _time, store.Tenant);

    private static async Task<int> CountAsync(TestLimiter limiter, int tries, params RateLimit[] limits)
    {
        var allowed = 0;
        for (var i = 0; i < tries; i++)
        {
            allowed += (await limiter.AcquireAsync(limits)).IsAllowed ? 1 : 0;
        }

        return allowed;
    }
}
