// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using System.Diagnostics;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis.Profiling;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What the store lends a node: how often it is asked, and that nobody gets more, or waits longer, because of it.</summary>
[Tier(Tier.Process)]
public sealed class RateLimiterSlicesTests(TestStores stores)
{
    private static readonly SessionOwner Me = new("epoch", "me");
    private readonly MovableClock _time = new();

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_thousand_calls_of_one_second_ask_the_store_a_few_times(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var calls = new ProfilingSession();
        var limiter = new TestLimiter(store.Connect(profiler: () => calls), _time, store.Tenant);
        for (var second = 0; second < 3; second++)
        {
            for (var i = 0; i < 1000; i++)
            {
                _time.Advance(TimeSpan.FromMilliseconds(1));
                Assert.True((await limiter.AcquireAsync(RateLimit.Tenant(60_000))).IsAllowed);
            }

            Assert.InRange(Scripts(calls), 1, second == 0 ? 10 : 5);
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_session_is_touched_once_a_second(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var calls = new ProfilingSession();
        var limiter = new TestLimiter(store.Connect(profiler: () => calls), _time, store.Tenant);
        await new SessionStore(store.Redis, store.Tenant, generation: 0).BeginAsync("s", Me);
        var (begun, expiry) = (_time.GetUtcNow(), DateTimeOffset.MinValue);
        for (var i = 0; i < 2000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            Assert.True((await limiter.AcquireAndTouchAsync("s", Me, RateLimit.Tenant(60_000))).IsOwnSession);
            if (i % 300 == 0)
            {
                // It lives on all the time, give or take the second.
                var session = Assert.Single(
                    (await new SessionStore(store.Redis, store.Tenant, generation: 0).ListAsync("epoch", 1)).Sessions
                );
                Assert.InRange(
                    session.ExpiresAt - _time.GetUtcNow(),
                    SessionStore.Lifetime - TimeSpan.FromSeconds(1.5),
                    SessionStore.Lifetime + TimeSpan.FromMilliseconds(5)
                );
            }
        }

        // Each second one for the session, and one for the limit's next slice.
        var seconds = (_time.GetUtcNow() - begun).TotalSeconds;
        Assert.InRange(Scripts(calls), seconds * 0.9, (seconds * 2.5) + 10);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Requests_that_come_while_one_is_on_its_way_share_the_next_trip(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var calls = new ProfilingSession();
        var redis = store.Connect(profiler: () => calls);
        var limiter = new TestLimiter(redis, _time, store.Tenant);
        await limiter.AcquireAsync(RateLimit.Caller("connects", 1));
        Scripts(calls);

        // The first finds no slice, the second to the last wait; 30 of them are refused, all by the same answer.
        var results = await Task.WhenAll(Enumerable.Range(0, 130).Select(_ => limiter.AcquireAsync(RateLimit.Tenant(100)).AsTask()));
        Assert.Equal(100, results.Count(result => result.IsAllowed));
        Assert.All(results.Where(result => !result.IsAllowed), result => Assert.InRange(result.RetryAfter.TotalSeconds, 0.3, 0.6));
        Assert.InRange(Scripts(calls), 2, 12);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_burst_over_four_nodes_never_passes_the_limit(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var nodes = store.Connect(4).Select(redis => new TestLimiter(redis, _time, store.Tenant)).ToArray();
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < 3; round++)
        {
            clock.Restart();
            var let = await Task.WhenAll(
                Enumerable
                    .Range(0, 64)
                    .Select(async task =>
                    {
                        var count = 0;
                        for (var i = 0; i < 40; i++)
                        {
                            count += (
                                await nodes[task % 4].AcquireAsync(RateLimit.Tenant(1000), RateLimit.Caller($"caller-{task % 16}", 600))
                            ).IsAllowed
                                ? 1
                                : 0;
                        }

                        return count;
                    })
            );

            // In the time that this took, some came back.
            Assert.InRange(let.Sum(), 800, 1001 + (clock.Elapsed.TotalMinutes * 1000));
            _time.Advance(TimeSpan.FromSeconds(64));
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Whatever_nodes_do_the_store_lets_no_more_through_than_the_limit_and_the_rate(StoreKind kind)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var store = await stores.GetAsync(kind, time);
        var redis = store.Connect(3);
        var pauses = Gen.Frequency((5, Gen.Int[0, 60]), (3, Gen.Int[100, 2500]), (1, Gen.Int[3000, 70_000]));
        var limits = new[] { 5, 60, 150, 1000, 6000, 60_000 };
        await Gen.Select(Gen.Int[0, 5], Gen.Select(pauses, Gen.Int[0, 2], Gen.Int[1, 60]).Array[5, 40])
            .SampleAsync(
                async (number, steps) =>
                {
                    var (tenant, limit) = (TestStore.NewTenant(), RateLimit.Tenant(limits[number]));
                    var nodes = redis.Select(connection => new TestLimiter(connection, time, tenant)).ToArray();
                    var (filled, slowest) = (0.0, TimeSpan.Zero);
                    foreach (var (pause, node, requests) in steps)
                    {
                        time.Advance(TimeSpan.FromMilliseconds(pause));
                        var clock = Stopwatch.StartNew();
                        var results = await Task.WhenAll(
                            Enumerable.Range(0, requests).Select(_ => nodes[node].AcquireAsync(limit).AsTask())
                        );

                        // The clock of the nodes stands meanwhile, and the store's goes on: by so much it can be ahead.
                        slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                        filled = Math.Max(0, filled - (pause * 1000)) + (results.Count(result => result.IsAllowed) * limit.Interval);
                        Assert.True(
                            filled <= limit.Span + slowest.TotalMicroseconds + 2000,
                            $"{filled / limit.Interval} requests are more than {limit.PerMinute}."
                        );
                    }
                },
                iter: 60,
                threads: 1
            );
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_changed_limit_counts_from_the_next_request_on_although_something_is_lent(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var limiter = new TestLimiter(store.Redis, _time, store.Tenant);
        for (var i = 0; i < 300; i++)
        {
            Assert.True((await limiter.AcquireAsync(RateLimit.Tenant(1000))).IsAllowed);
        }

        Assert.False((await limiter.AcquireAsync(RateLimit.Tenant(200))).IsAllowed);
        Assert.True((await limiter.AcquireAsync(RateLimit.Tenant(6000))).IsAllowed);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_given_back_goes_into_the_slice_without_a_trip_or_is_there_again_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var calls = new ProfilingSession();
        var limiter = new TestLimiter(store.Connect(profiler: () => calls), _time, store.Tenant);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(4, (await limiter.AcquireAsync(RateLimit.Caller("few", 5))).Remaining);
            await limiter.GiveBackAsync(RateLimit.Caller("few", 5));
        }

        var left = 0;
        for (var i = 0; i < 20; i++)
        {
            left = (await limiter.AcquireAsync(RateLimit.Tenant(60_000))).Remaining;
        }

        Scripts(calls);
        for (var i = 0; i < 50; i++)
        {
            await limiter.AcquireAsync(RateLimit.Tenant(60_000));
            await limiter.GiveBackAsync(RateLimit.Tenant(60_000));
        }

        Assert.InRange(Scripts(calls), 0, 5);
        Assert.InRange((await limiter.AcquireAsync(RateLimit.Tenant(60_000))).Remaining, left - 1, 60_000);
    }

    [Fact]
    public async Task A_flood_of_addresses_is_forgotten_after_a_second()
    {
        await using var store = await stores.GetAsync(StoreKind.Embedded, _time);
        var limiter = new TestLimiter(store.Redis, _time, store.Tenant);
        for (var batch = 0; batch < 30; batch++)
        {
            await Task.WhenAll(
                Enumerable.Range(0, 1000).Select(i => limiter.AcquireAsync(RateLimit.Anonymous($"address-{batch}-{i}", 60)).AsTask())
            );
            _time.Advance(TimeSpan.FromMilliseconds(500));
        }

        Assert.InRange(limiter.Node.Count, 1, 12_000);
    }

    [Fact]
    public async Task While_the_store_is_away_a_node_lends_itself_what_the_limit_allows_and_no_more()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = new TestStore(StackExchange.Redis.ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System)
        {
            IsPatient = false,
        };
        var limiter = new TestLimiter(store.Redis, TimeProvider.System, store.Tenant);
        for (var i = 0; i < 50; i++)
        {
            Assert.True((await limiter.AcquireAsync(RateLimit.Tenant(1000))).IsAllowed);
        }

        await redis.StopAsync();
        var (clock, allowed) = (Stopwatch.StartNew(), 0);
        for (var i = 0; i < 3000; i++)
        {
            allowed += (await limiter.AcquireAsync(RateLimit.Tenant(1000))).IsAllowed ? 1 : 0;
        }

        // What the store had lent comes on top.
        Assert.InRange(allowed, 1000, 1000 + 64 + (clock.Elapsed.TotalMinutes * 1000) + 1);
        await redis.LaunchAsync();
        await Poll.UntilAsync(async () => (await limiter.AcquireAsync(RateLimit.Tenant(1000))).IsAllowed);
    }

    private static int Scripts(ProfilingSession calls) => calls.FinishProfiling().Count(command => command.Command is "EVAL" or "EVALSHA");
}
