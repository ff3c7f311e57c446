// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What is counted is counted once, on every store, and kept within bounds.</summary>
[Tier(Tier.Process)]
public sealed class UsageStoreTests(TestStores stores)
{
    private static readonly UsageRow Row = new("tool", "ok", 2, 30, 400, 5);

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_count_that_is_sent_again_is_added_once_and_those_of_other_nodes_beside_it(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var usage = Usage(store.Redis, TimeProvider.System);
        var place = new UsagePlace(store.Tenant, 0, UsageDay.Of(DateTimeOffset.UtcNow));
        await usage.AddAsync(place, 1, [Row]);
        await usage.AddAsync(place, 1, [Row]);
        Assert.Equal([Row], await ReadAsync(usage, store.Tenant));
        await usage.AddAsync(place, 2, [Row, Row with { Outcome = "error", Units = 0 }]);
        await Usage(store.Connect(), TimeProvider.System).AddAsync(place, 1, [Row]);
        Assert.Equal([Row with { Outcome = "error", Units = 0 }, new("tool", "ok", 6, 90, 1200, 15)], await ReadAsync(usage, store.Tenant));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_commit_that_is_sent_again_because_its_answer_was_lost_counts_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, new());
        var claimed = Assert.IsType<IdempotencyClaim.Claimed>(
            await keys.ClaimAsync(new("me", null, "key-0123456789abcdef", "tool", "hash"), TimeSpan.FromSeconds(30))
        );
        var use = CommittedUse.Of(Row with { Calls = 1 }, DateTimeOffset.UtcNow, new());
        for (var i = 0; i < 3; i++)
        {
            Assert.True((await keys.CompleteAsync(claimed.Lease, "done"u8.ToArray(), work: null, use)).IsStored);
        }

        Assert.Equal([Row with { Calls = 1 }], await ReadAsync(Usage(store.Redis, TimeProvider.System), store.Tenant));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_a_purge_was_cut_off_from_is_kept_once_and_what_comes_after_it_beside_it(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var usage = Usage(store.Redis, TimeProvider.System);
        var place = new UsagePlace(store.Tenant, 0, UsageDay.Of(DateTimeOffset.UtcNow));
        await usage.AddAsync(place, 1, [Row]);
        await usage.KeepAsync(store.Tenant, 7);
        await usage.KeepAsync(store.Tenant, 7);
        await store.Redis.EvaluateAsync(StoreScript.TenantEnd, [new TenantKeyspace(store.Tenant).Generation], [7]);
        await usage.AddAsync(place, 2, [Row with { Calls = 1 }]);
        await usage.AddAsync(place, 2, [Row with { Calls = 1 }]);
        var kept = await usage.ReadDeletedAsync(store.Tenant.Value, DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal(3, kept.SelectMany(day => day.Rows).Sum(row => row.Calls));
        Assert.Contains(store.Tenant.Value, await usage.ListDeletedAsync(null, 100_000));
        Assert.DoesNotContain(store.Tenant.Value, await usage.ListDeletedAsync(store.Tenant.Value, 100_000));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Calls_of_more_days_than_are_sent_at_once_are_all_counted(StoreKind kind)
    {
        const int days = 18;
        await using var store = await stores.GetAsync(kind);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-days));
        var counts = new UsageCounts(time);
        using var writer = new UsageWriter(counts, Usage(store.Redis, TimeProvider.System), time, NullLogger<UsageWriter>.Instance);
        for (var day = 0; day < days; day++)
        {
            counts.Add(store.Tenant, 0, Row);
            time.Advance(TimeSpan.FromDays(1));
        }

        await writer.WriteAsync();
        Assert.Equal(days, (await ReadAsync(Usage(store.Redis, TimeProvider.System), store.Tenant)).Sum(row => row.Calls));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_count_whose_script_is_cut_off_in_the_middle_counts_its_calls_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var usage = Usage(store.Redis, TimeProvider.System);
        var place = new UsagePlace(store.Tenant, 0, UsageDay.Of(DateTimeOffset.UtcNow));
        var (raw, key) = (await store.RawAsync(), new TenantKeyspace(store.Tenant).Usage(UsageDay.Of(0, place.Day)));
        await raw.HashSetAsync(key, "micros ok tool", "no number");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => usage.AddAsync(place, 1, [Row]));
        await usage.AddAsync(place, 1, [Row]);
        Assert.Equal(2, (int)await raw.HashGetAsync(key, "calls ok tool"));
    }

    [Fact]
    public async Task Counts_that_hang_in_a_store_that_stands_still_are_added_once_and_in_their_order()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = new TestStore(ConfigurationOptions.Parse($"{server.ConnectionString},allowAdmin=true"), TimeProvider.System)
        {
            IsPatient = false,
        };
        var counts = new UsageCounts(TimeProvider.System);
        using var writer = new UsageWriter(
            counts,
            Usage(store.Redis, TimeProvider.System),
            TimeProvider.System,
            NullLogger<UsageWriter>.Instance
        );
        var one = Row with { Calls = 1 };
        var raw = await store.RawAsync();

        // The store has the script from then on, so that what it is sent later it runs, whether or not it is waited for.
        counts.Add(store.Tenant, 0, one);
        await writer.WriteAsync();
        for (var i = 0; i < 2; i++)
        {
            // What is sent arrives, and is not answered in time; what is counted meanwhile comes while that is not known to be added.
            await Poll.UntilAsync(() => IsThereAsync(store.Redis));
            await raw.ExecuteAsync("CLIENT", "PAUSE", "5000", "ALL");
            for (var tries = 0; tries < 2; tries++)
            {
                counts.Add(store.Tenant, 0, one);
                await Assert.ThrowsAsync<StoreUnavailableException>(writer.WriteAsync);
            }
        }

        await Poll.UntilAsync(async () =>
        {
            try
            {
                await writer.WriteAsync();
                return true;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        Assert.Equal(5, (await ReadAsync(Usage(store.Redis, TimeProvider.System), store.Tenant)).Single().Calls);

        static async Task<bool> IsThereAsync(RedisConnection redis)
        {
            try
            {
                await redis.GetAsync(FleetKeyspace.Version);
                return true;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_tenant_that_is_purged_while_counts_are_under_way_leaves_no_keys_and_all_of_them_are_billed(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var place = new UsagePlace(store.Tenant, 0, UsageDay.Of(DateTimeOffset.UtcNow));
        var (isOver, sent) = (false, 0);
        var counting = store
            .Connect(4)
            .Select(redis =>
                Task.Run(async () =>
                {
                    var usage = Usage(redis, TimeProvider.System);
                    for (var number = 1; !Volatile.Read(ref isOver); number++)
                    {
                        await usage.AddAsync(place, number, [Row with { Calls = 1 }]);
                        Interlocked.Increment(ref sent);
                    }
                })
            )
            .ToArray();
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref sent) > 50));
        await store.MarkDeletedAsync(store.Tenant);
        var purge = new TenantPurge(store.Redis, audit: null, Usage(store.Redis, TimeProvider.System));
        Assert.True(await purge.RunAsync(store.Tenant, waits: true, TestContext.Current.CancellationToken));
        var until = Volatile.Read(ref sent) + 50;
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref sent) > until));
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(counting);
        Assert.Equal(["tenant:{" + store.Tenant + "}:generation"], await store.KeysAsync("tenant:{" + store.Tenant + "}:*"));
        var kept = await Usage(store.Redis, TimeProvider.System).ReadDeletedAsync(store.Tenant.Value, DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal(sent, kept.SelectMany(day => day.Rows).Sum(row => row.Calls));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_purge_that_was_held_up_takes_nothing_of_a_later_tenant_with_the_id(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var usage = Usage(store.Redis, TimeProvider.System);
        var day = UsageDay.Of(DateTimeOffset.UtcNow);
        await usage.AddAsync(new(store.Tenant, 0, day), 1, [Row]);
        await store.Redis.EvaluateAsync(StoreScript.TenantEnd, [new TenantKeyspace(store.Tenant).Generation], [9]);
        await usage.AddAsync(new(store.Tenant, 9, day), 2, [Row with { Calls = 1 }]);
        await usage.KeepAsync(store.Tenant, tombstone: 7);
        var kept = await usage.ReadDeletedAsync(store.Tenant.Value, DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal([Row], kept.SelectMany(one => one.Rows));

        // What was added and not acknowledged before the tenant went is not billed a second time.
        await usage.AddAsync(new(store.Tenant, 0, day), 1, [Row]);
        Assert.Single(await usage.ReadDeletedAsync(store.Tenant.Value, DateOnly.MinValue, DateOnly.MaxValue));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Days_beyond_the_bound_go(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var usage = Usage(store.Redis, time, new() { Days = 10, MaxDeleted = 1000 });
        for (var day = 0; day < 15; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            await usage.AddAsync(new(store.Tenant, 0, UsageDay.Of(time.GetUtcNow())), day, [Row]);
        }

        var days = await usage.ReadAsync(store.Tenant, DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal(11, days.Count);
        Assert.All(days, day => Assert.Equal(Row, day.Rows.Single()));
        var ttl = await (await store.RawAsync()).KeyTimeToLiveAsync(new TenantKeyspace(store.Tenant).Usage(UsageDay.Of(0, days[0].Day)));
        Assert.InRange(ttl!.Value, TimeSpan.FromDays(10), TimeSpan.FromDays(11));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_purge_finds_days_that_were_to_be_kept_longer_when_they_were_counted(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var earlier = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-300));
        var place = new UsagePlace(store.Tenant, 0, UsageDay.Of(earlier.GetUtcNow()));
        await Usage(store.Redis, earlier, new() { Days = 400 }).AddAsync(place, 1, [Row]);
        var usage = Usage(store.Redis, TimeProvider.System, new() { Days = 30 });
        await usage.AddAsync(place with { Day = UsageDay.Of(DateTimeOffset.UtcNow) }, 2, [Row]);
        Assert.Single(await usage.ReadAsync(store.Tenant, DateOnly.MinValue, DateOnly.MaxValue));

        await store.MarkDeletedAsync(store.Tenant);
        await new TenantPurge(store.Redis, audit: null, usage).RunAsync(store.Tenant, waits: true, TestContext.Current.CancellationToken);
        Assert.Equal([$"tenant:{{{store.Tenant}}}:generation"], await store.KeysAsync($"tenant:{{{store.Tenant}}}:*"));
    }

    [Fact]
    public async Task Nothing_is_lost_between_those_who_count_and_the_one_who_takes_it_out()
    {
        var counts = new UsageCounts(TimeProvider.System);
        var tenant = TenantId.Parse("acme");
        var row = new UsageRow("tool", "ok", 1, 2, 3, 4);
        long calls = 0;
        long units = 0;
        var done = false;
        var taker = Task.Run(() =>
        {
            while (!Volatile.Read(ref done))
            {
                Take();
            }
        });
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < 100_000; i++)
                        {
                            counts.Add(tenant, 1, row);
                        }
                    })
                )
        );
        Volatile.Write(ref done, true);
        await taker;
        Take();
        Assert.Equal((400_000, 1_600_000), (calls, units));

        void Take()
        {
            foreach (var taken in counts.Take().Values.SelectMany(rows => rows))
            {
                calls += taken.Calls;
                units += taken.Units;
            }
        }
    }

    [Fact]
    public void To_count_takes_no_memory_and_what_is_idle_is_let_go_of()
    {
        var counts = new UsageCounts(TimeProvider.System);
        var tenant = TenantId.Parse("acme");
        var row = new UsageRow("tool", "ok", 1, 2, 3, 4);
        counts.Add(tenant, 1, row);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            counts.Add(tenant, 1, row);
        }

        // Not one byte for each; the runtime itself may take some once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 999);
        for (var i = 0; i < 70; i++)
        {
            counts.Take();
        }

        Assert.Equal(0, counts.Count);
        counts.Add(tenant, 1, row);
        Assert.Equal(1, counts.Take().Values.Single().Single().Calls);
    }

    private static UsageStore Usage(RedisConnection redis, TimeProvider time, UsageOptions? bounds = null) =>
        new(redis, Options.Create(new TenancyOptions { Usage = bounds ?? new() }), time);

    private static async Task<UsageRow[]> ReadAsync(UsageStore usage, TenantId tenant) =>
        [.. (await usage.ReadAsync(tenant, DateOnly.MinValue, DateOnly.MaxValue)).SelectMany(day => day.Rows)];
}
