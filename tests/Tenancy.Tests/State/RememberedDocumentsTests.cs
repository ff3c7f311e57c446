// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What a node remembers of documents, and when it is no longer good.</summary>
[Tier(Tier.Process)]
public sealed class RememberedDocumentsTests(TestStores stores)
{
    private const string Caller = "principal:me";

    private readonly MovableClock _time = new();

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_remembered_is_read_without_a_trip_and_what_this_node_changes_is_seen_at_once(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind, _time);
        var node = new Node(store, store.Connect(profiler: () => session));
        var order = await node.CreateAsync("a", "one");
        Assert.Equal("one", await node.GetAsync("a"));
        Assert.Equal(["one"], await node.ListAsync());

        session = new();
        Assert.Equal("one", await node.GetAsync("a"));
        Assert.Equal(["one"], await node.ListAsync());
        Assert.Empty(session.FinishProfiling());
        session = null;

        await node.ReplaceAsync(order with { Text = "two" });
        Assert.Equal("two", await node.GetAsync("a"));
        Assert.Equal(["two"], await node.ListAsync());
        Assert.Null(await node.GetAsync("b"));
        await node.CreateAsync("b", "three");
        Assert.Equal("three", await node.GetAsync("b"));
        Assert.Equal(["two", "three"], await node.ListAsync());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_another_node_changed_is_seen_after_a_second_and_what_is_new_there_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var (one, other) = (new Node(store, store.Connect()), new Node(store, store.Connect()));
        var order = await one.CreateAsync("a", "one");
        Assert.Equal("one", await other.GetAsync("a"));
        await one.ReplaceAsync(order with { Text = "two" });
        await one.CreateAsync("b", "new");
        Assert.Equal("new", await other.GetAsync("b"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("two", await other.GetAsync("a"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_trip_for_a_limit_says_whether_it_is_still_good(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind, _time);
        var redis = store.Connect(profiler: () => session);
        var (one, other) = (new Node(store, redis), new Node(store, store.Connect()));
        var limiter = new RateLimiter(redis, new(_time), new(), _time);
        var order = await one.CreateAsync("a", "one");
        Assert.Equal("one", await one.GetAsync("a"));

        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await AcquireAsync(limiter, store.Tenant);
            session = new();
            Assert.Equal("one", await one.GetAsync("a"));
            Assert.Empty(session.FinishProfiling());
            session = null;
        }

        await other.ReplaceAsync((await other.FindAsync("a"))! with { Text = "two" });
        _time.Advance(TimeSpan.FromSeconds(1));
        await AcquireAsync(limiter, store.Tenant);
        Assert.Equal("two", await one.GetAsync("a"));
        Assert.Equal(1, order.Revision);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_call_that_used_it_commits_nothing_once_it_has_changed(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var (one, other) = (new Node(store, store.Connect()), new Node(store, store.Connect()));
        var order = await one.CreateAsync("a", "one");
        Assert.Equal("one", await other.GetAsync("a"));
        await one.ReplaceAsync(order with { Text = "two" });

        // It is committed in the account, and what was read lies elsewhere.
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000));
        Assert.Equal("one", await other.GetAsync("a", unit));
        await other.Documents("principal:another", unit).CreateWithIdAsync("c", new());
        await Assert.ThrowsAsync<DocumentChangedException>(() => other.CommitAsync(unit));
        Assert.Null(await new Node(store, store.Redis, caller: "principal:another").FindAsync("c"));

        // What was refused is read anew, also in the same unit of work.
        Assert.Equal("two", await other.GetAsync("a", unit));
        await other.Documents("principal:another", unit).CreateWithIdAsync("c", new());
        await other.CommitAsync(unit);
        Assert.NotNull(await new Node(store, store.Redis, caller: "principal:another").FindAsync("c"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_call_that_changes_it_itself_commits_again(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var node = new Node(store, store.Connect());
        await node.CreateAsync("a", "one");
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000));
        Assert.Equal("one", await node.GetAsync("a", unit));
        var order = (await node.Documents(Caller, unit).GetAsync("a"))!;
        order = await node.Documents(Caller, unit).ReplaceAsync(order with { Text = "two" });
        Assert.Equal("two", await node.GetAsync("a", unit));
        await node.CommitAsync(unit);
        await node.Documents(Caller, unit).ReplaceAsync(order with { Text = "three" });
        await node.CommitAsync(unit);
        Assert.Equal("three", await node.GetAsync("a"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_change_of_another_document_of_the_account_is_no_conflict_for_who_read_one_and_is_one_for_who_read_all(
        StoreKind kind
    )
    {
        await using var store = await stores.GetAsync(kind, _time);
        var (one, other) = (new Node(store, store.Connect()), new Node(store, store.Connect()));
        await one.CreateAsync("a", "one");
        var (single, list) = (new UnitOfWork(DocumentBudget.OfTenant(1_000_000)), new UnitOfWork(DocumentBudget.OfTenant(1_000_000)));
        Assert.Equal("one", await other.GetAsync("a", single));
        Assert.Equal(["one"], await other.ListAsync(list));
        await one.CreateAsync("b", "two");
        await other.Documents("principal:another", single).CreateWithIdAsync("c", new());
        await other.CommitAsync(single);
        await other.Documents("principal:another", list).CreateWithIdAsync("d", new());
        await Assert.ThrowsAsync<DocumentChangedException>(() => other.CommitAsync(list));
        Assert.Equal(["one", "two"], await other.ListAsync(list));
        await other.Documents("principal:another", list).CreateWithIdAsync("d", new());
        await other.CommitAsync(list);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task After_a_flush_into_the_account_and_after_one_that_was_refused_the_next_commit_asks_all_the_same(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var (one, other) = (new Node(store, store.Connect()), new Node(store, store.Connect()));
        var order = await one.CreateAsync("a", "one");
        var unit = new UnitOfWork(DocumentBudget.OfTenant(100_000));
        Assert.Equal("one", await other.GetAsync("a", unit));
        await other.Documents(Caller, unit).CreateWithIdAsync("b", new());
        await other.CommitAsync(unit);

        await other.Documents(Caller, unit).CreateWithIdAsync("large", new() { Text = new string('x', 120_000) });
        await Assert.ThrowsAsync<StorageBudgetExceededException>(() => other.CommitAsync(unit));

        await one.ReplaceAsync(order with { Text = "two" });
        await other.Documents(Caller, unit).CreateWithIdAsync("c", new());
        await Assert.ThrowsAsync<DocumentChangedException>(() => other.CommitAsync(unit));
        Assert.Null(await one.FindAsync("c"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task One_trip_for_the_tenants_limit_brings_the_versions_of_all_callers_that_came_lately(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind, _time);
        var redis = store.Connect(profiler: () => session);
        var limiter = new RateLimiter(redis, new(_time), new(), _time);

        // The first use of a script gives it to the store, which is a trip more.
        await AcquireAsync(limiter, store.Tenant);
        Node[] callers = [.. Enumerable.Range(0, 64).Select(i => new Node(store, redis, caller: $"principal:{i}"))];
        foreach (var caller in callers)
        {
            await caller.CreateAsync("a", "one");
            Assert.Equal("one", await caller.GetAsync("a"));
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        session = new();
        await AcquireAsync(limiter, store.Tenant);
        foreach (var caller in callers)
        {
            Assert.Equal("one", await caller.GetAsync("a"));
        }

        Assert.Single(session.FinishProfiling());
        session = null;
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_list_has_what_the_call_wrote_and_one_of_too_many_bytes_is_refused(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var node = new Node(store, store.Connect());
        await node.CreateAsync("a", "one");
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000_000));
        await node.Documents(Caller, unit).CreateWithIdAsync("b", new() { Text = "two" });
        Assert.Equal(["one", "two"], await node.ListAsync(unit));
        await node.CommitAsync(unit);
        for (var i = 0; i < 40; i++)
        {
            await node.Documents(Caller, unit).CreateWithIdAsync($"large-{i}", new() { Text = new string('x', 250_000) });
            await node.CommitAsync(unit);
        }

        await Assert.ThrowsAsync<ReadTooLargeException>(() => node.Documents(Caller, unit).ListCachedAsync(1001));
        Assert.Equal(2, (await node.Documents(Caller, unit).ListCachedAsync(2)).Count);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Neither_another_caller_nor_the_next_tenant_of_this_id_is_given_it(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var redis = store.Connect();
        var node = new Node(store, redis);
        await node.CreateAsync("a", "one");
        Assert.Equal("one", await node.GetAsync("a"));
        Assert.Null(await new Node(store, redis, caller: "principal:you").GetAsync("a"));
        Assert.Null(await new Node(store, redis, tenant: TestStore.NewTenant()).GetAsync("a"));

        var raw = await store.RawAsync();
        await raw.KeyDeleteAsync(
            await store.KeysAsync($"*{store.Tenant}*") is var keys ? [.. keys.Select(key => (StackExchange.Redis.RedisKey)key)] : []
        );
        await raw.StringSetAsync($"tenant:{{{store.Tenant}}}:generation", 7);
        Assert.Null(await new Node(store, redis, generation: 7).GetAsync("a"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Of_accounts_that_nobody_remembers_nothing_is_kept(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var node = new Node(store, store.Connect());
        await node.CreateAsync("a", "one");
        Assert.DoesNotContain(await store.KeysAsync($"*{store.Tenant}*"), key =>
            key.EndsWith("document-versions", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task What_was_listed_while_the_store_was_full_is_no_ground_to_commit_by()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Redis);
        var (one, other) = (new Node(own.Store, own.Store.Connect()), new Node(own.Store, own.Store.Connect()));
        await one.CreateAsync("a", "one");
        await own.Store.LimitMemoryAsync(1);
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000));
        Assert.Equal(["one"], await other.ListAsync(unit));
        await own.Store.LimitMemoryAsync(0);
        await one.CreateAsync("b", "two");
        await other.Documents("principal:another", unit).CreateWithIdAsync("c", new());
        await Assert.ThrowsAsync<DocumentChangedException>(() => other.CommitAsync(unit));
        Assert.Equal(["one", "two"], await other.ListAsync(unit));
        await other.Documents("principal:another", unit).CreateWithIdAsync("c", new());
        await other.CommitAsync(unit);
    }

    [Fact]
    public async Task A_call_uses_no_more_of_what_is_remembered_than_its_commit_can_look_at()
    {
        await using var store = await stores.GetAsync(StoreKind.Embedded, _time);
        var node = new Node(store, store.Connect());
        await node.CreateAsync("a", "one");
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000));
        var work = ((IUnitOfWork)unit).BeginWork();
        for (var i = 0; i < 1000; i++)
        {
            work.Expect(new(new(store.Tenant, 0, "account"), new("account", "orders", $"{i}")), "");
        }

        var refused = await Assert.ThrowsAsync<CommitTooLargeException>(() => node.GetAsync("a", unit));
        Assert.Contains("GetAsync", refused.Message, StringComparison.Ordinal);
        work.Expect(new(new(store.Tenant, 0, "account"), new("account", "orders", "7")), "", isNew: true);
        await node.Documents(Caller, unit).CreateWithIdAsync("b", new());
        await node.CommitAsync(unit);
    }

    private static async Task AcquireAsync(RateLimiter limiter, TenantId tenant) =>
        Assert.True((await limiter.AcquireAsync(tenant, 0, RateLimit.Tenant(60))).IsAllowed);

    /// <summary>A node, and a caller's own documents on it.</summary>
    private sealed class Node(TestStore store, RedisConnection redis, string caller = Caller, TenantId? tenant = null, long generation = 0)
    {
        public Documents<TestOrder> Documents(string whose, IUnitOfWork unit) =>
            new(
                new DocumentScope(
                    redis,
                    tenant ?? store.Tenant,
                    "operation",
                    unit,
                    () => { },
                    DocumentSpace.OfCaller(whose),
                    readable: null
                )
                {
                    Generation = generation,
                }
            );

        public async Task<TestOrder> CreateAsync(string id, string status)
        {
            var unit = NewUnit();
            var order = (await Documents(caller, unit).CreateWithIdAsync(id, new() { Text = status }))!;
            await CommitAsync(unit);
            return order;
        }

        public async Task ReplaceAsync(TestOrder order)
        {
            var unit = NewUnit();
            await Documents(caller, unit).ReplaceAsync(order);
            await CommitAsync(unit);
        }

        public Task<TestOrder?> FindAsync(string id) => Documents(caller, NewUnit()).GetAsync(id);

        public async Task<string?> GetAsync(string id, IUnitOfWork? unit = null) =>
            (await Documents(caller, unit ?? NewUnit()).GetCachedAsync(id))?.Text;

        public async Task<string[]> ListAsync(IUnitOfWork? unit = null) =>
            [.. (await Documents(caller, unit ?? NewUnit()).ListCachedAsync(10)).Select(order => order.Text)];

        public Task CommitAsync(UnitOfWork unit) =>
            DocumentCommit.FlushAsync(redis, new(tenant ?? store.Tenant), generation, unit.Work!, lease: null);

        private static UnitOfWork NewUnit() => new(DocumentBudget.OfTenant(1_000_000));
    }
}
