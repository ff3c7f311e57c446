// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Fleet;
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
        Assert.Equal(days * Row.Calls, (await ReadAsync(Usage(store.Redis, TimeProvider.System), store.Tenant)).Sum(row => row.Calls));
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
            await usage.AddAsync(new(store.Tenant, 0, UsageDay.Of(time.GetUtcNow())), day, [Row]);
            time.Advance(TimeSpan.FromDays(1));
        }

        var days = await usage.ReadAsync(store.Tenant, DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal(11, days.Count);
        Assert.All(days, day => Assert.Equal(Row, day.Rows.Single()));
        var ttl = await (await store.RawAsync()).KeyTimeToLiveAsync(new TenantKeyspace(store.Tenant).Usage(UsageDay.Text(days[0].Day)));
        Assert.InRange(ttl!.Value, TimeSpan.FromDays(10), TimeSpan.FromDays(11));
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

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
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
