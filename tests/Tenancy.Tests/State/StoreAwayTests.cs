// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using System.Collections.Concurrent;
using System.Diagnostics;
using StackExchange.Redis;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>Keeps what is timed apart from what makes the machine busy.</summary>
[CollectionDefinition(nameof(StoreAwayTests), DisableParallelization = true)]
public sealed class StoreAwayCollection;

/// <summary>A Redis that stops, dies, comes back, stands still or was never there.</summary>
[Collection(nameof(StoreAwayTests))]
[Tier(Tier.Process)]
public sealed class StoreAwayTests
{
    // What a call may take that does not wait for the store, on a machine that is busy with other tests.
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Down_at_boot_no_call_hangs_and_it_is_found_when_it_comes()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.StopAsync();
        await using var store = Store(redis);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        Assert.InRange(await FailAsync(sessions), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        await FailAtOnceAsync(sessions);
        await redis.LaunchAsync();
        await UntilItAnswersAsync(sessions);
    }

    [Fact]
    public async Task Stopped_it_is_away_at_once_and_recovers_by_itself()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        await sessions.BeginAsync("s", new("epoch", "me"));
        await redis.StopAsync();
        Assert.InRange(await FailAsync(sessions), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        await FailAtOnceAsync(sessions);
        await redis.LaunchAsync();
        await UntilItAnswersAsync(sessions);
        Assert.True(await sessions.TouchAsync("s", new("epoch", "me")));
    }

    [Fact]
    public async Task Restarted_it_is_found_again_with_all_that_it_had()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        await sessions.BeginAsync("s", new("epoch", "me"));
        await redis.RestartAsync();
        await UntilItAnswersAsync(sessions);
        Assert.True(await sessions.TouchAsync("s", new("epoch", "me")));
    }

    [Fact]
    public async Task Standing_still_only_the_first_calls_wait_for_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        await sessions.BeginAsync("s", new("epoch", "me"));
        await redis.PauseAsync();
        var first = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => FailAsync(sessions)));
        Assert.InRange(first.Max(), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(3));
        await FailAtOnceAsync(sessions);
        await redis.ResumeAsync();
        await UntilItAnswersAsync(sessions);
        Assert.True(await sessions.TouchAsync("s", new("epoch", "me")));
    }

    [Fact]
    public async Task Standing_still_for_long_no_later_call_waits_either()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        await sessions.BeginAsync("s", new("epoch", "me"));
        await redis.PauseAsync();
        await FailAsync(sessions);
        var slowest = TimeSpan.Zero;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(7); )
        {
            var took = await FailAsync(sessions);
            slowest = took > slowest ? took : slowest;
            await Task.Delay(10);
        }

        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        await redis.ResumeAsync();
        await UntilItAnswersAsync(sessions);
    }

    [Fact]
    public async Task Limits_go_on_in_memory_while_it_is_away()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var limiter = new TestLimiter(store.Redis, TimeProvider.System, store.Tenant);
        Assert.True((await limiter.AcquireAsync(RateLimit.Tenant(5))).IsAllowed);
        await redis.StopAsync();
        var allowed = 0;
        for (var i = 0; i < 20; i++)
        {
            allowed += (await limiter.AcquireAsync(RateLimit.Tenant(5))).IsAllowed ? 1 : 0;
        }

        Assert.Equal(5, allowed);
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(5)).AsTask()
        );
    }

    [Fact]
    public async Task A_kill_loses_nothing_that_was_acknowledged()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = Store(redis);
        var acknowledged = new ConcurrentBag<(TestOrder Order, string Key)>();
        var enough = new TaskCompletionSource();
        var writers = Enumerable
            .Range(0, 16)
            .Select(async writer =>
            {
                var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, new());
                for (var i = 0; ; i++)
                {
                    try
                    {
                        var request = Request($"key-of-request-{writer}-{i}");
                        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30))).Lease;
                        var order = await Orders(store, lease.OperationId).CreateAsync(new() { Text = request.Key });
                        Assert.True((await keys.CompleteAsync(lease, "done"u8.ToArray())).IsStored);
                        acknowledged.Add((order, request.Key));
                    }
                    catch (StoreUnavailableException)
                    {
                        return;
                    }

                    if (acknowledged.Count >= 300)
                    {
                        enough.TrySetResult();
                    }
                }
            })
            .ToArray();

        // On a busy machine some of the writers may end before, and not all.
        var first = await Task.WhenAny(enough.Task, Task.WhenAll(writers))
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await first;
        Assert.Same(enough.Task, first);
        await redis.StopAsync();
        await Task.WhenAll(writers).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await redis.LaunchAsync();
        await UntilItAnswersAsync(new(store.Redis, store.Tenant, generation: 0));

        // Documents are read on a connection of their own, which comes back by itself.
        await Poll.UntilAsync(async () =>
        {
            try
            {
                return await Orders(store, "reader").GetAsync("none") is null;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        foreach (var (order, key) in acknowledged)
        {
            Assert.Equal(order, await Orders(store, "reader").GetAsync(order.Id));
            Assert.IsType<IdempotencyClaim.Replay>(
                await new IdempotencyStore(store.Redis, store.Tenant, generation: 0, new()).ClaimAsync(
                    Request(key),
                    TimeSpan.FromSeconds(30)
                )
            );
        }
    }

    private static TestStore Store(RedisServer redis) =>
        new(ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System) { IsPatient = false };

    private static IdempotentRequest Request(string key) => new("caller", "account", key, "tool", "hash");

    private static CommittedDocuments<TestOrder> Orders(TestStore store, string operation) =>
        new(store.Redis, store.Tenant, "account", operation);

    private static async Task<TimeSpan> FailAsync(SessionStore sessions)
    {
        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => sessions.TouchAsync("s", new("epoch", "me")));
        return watch.Elapsed;
    }

    private static async Task FailAtOnceAsync(SessionStore sessions)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++)
        {
            await FailAsync(sessions);
        }

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, AtOnce * 50);
    }

    private static async Task UntilItAnswersAsync(SessionStore sessions)
    {
        for (var watch = Stopwatch.StartNew(); ; )
        {
            try
            {
                await sessions.BeginAsync("probe", new("epoch", "probe"));
                TestContext.Current.TestOutputHelper?.WriteLine($"It was back after {watch.ElapsedMilliseconds} ms.");
                return;
            }
            catch (StoreUnavailableException) when (watch.Elapsed < TimeSpan.FromSeconds(10))
            {
                // It is another process that is waited for.
                await Task.Delay(10);
            }
        }
    }
}
