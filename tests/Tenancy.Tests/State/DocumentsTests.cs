// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using System.Collections.Concurrent;
using System.Diagnostics;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Document("test_orders", IdPrefix = "or_")]
internal sealed record TestOrder : TenantDocument
{
    public string Text { get; init; } = "";

    public int Number { get; init; }
}

[Document("test_deliveries")]
internal sealed record TestDelivery : TenantDocument
{
    public int Impressions { get; init; }
}

[Tier(Tier.Process)]
public sealed class DocumentsTests(TestStores stores)
{
    private int _operations;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_retry_is_given_what_the_first_try_created(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var first = await Orders(store, operation: "op").CreateAsync(new() { Text = "first" });
        var retry = await Orders(store, operation: "op").CreateAsync(new() { Text = "retry" });
        var named = await Orders(store, operation: "op").CreateAsync(new() { Text = "second of the call" }, "second");
        Assert.Equal(first, retry);
        Assert.StartsWith("or_", first.Id, StringComparison.Ordinal);
        Assert.NotEqual(first.Id, named.Id);
        Assert.Equal([first, named], (await Orders(store).ListAsync()).Items);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task An_id_of_the_callers_own_is_taken_once_in_its_account(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var created = await Orders(store, operation: "op").CreateWithIdAsync("creative/1 {x}*", new() { Text = "mine" });
        Assert.Equal("creative/1 {x}*", created!.Id);
        Assert.Equal(created, await Orders(store, operation: "op").CreateWithIdAsync("creative/1 {x}*", new() { Text = "retry" }));
        Assert.Null(await Orders(store).CreateWithIdAsync("creative/1 {x}*", new() { Text = "another operation" }));
        Assert.Equal("theirs", (await Orders(store, "account-2").CreateWithIdAsync("creative/1 {x}*", new() { Text = "theirs" }))!.Text);
        Assert.Equal(created, await Orders(store).GetAsync("creative/1 {x}*"));
        Assert.Null(await Orders(store).GetAsync("creative/1 {x}"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_document_is_replaced_only_as_it_was_read(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var orders = Orders(store);
        var created = await orders.CreateAsync(new() { Text = "1" });
        var second = await orders.ReplaceAsync(created with { Text = "2" });
        Assert.Equal(2, second.Revision);
        await Assert.ThrowsAsync<DocumentChangedException>(() => orders.ReplaceAsync(created with { Text = "late" }));
        Assert.Equal(second, await orders.GetAsync(created.Id));
        Assert.Equal(3, (await orders.ReplaceAsync(second with { Text = "3" })).Revision);

        Assert.True(await orders.DeleteAsync(created.Id));
        Assert.False(await orders.DeleteAsync(created.Id));
        await Assert.ThrowsAsync<DocumentChangedException>(() => orders.ReplaceAsync(second));
        Assert.Null(await orders.GetAsync(created.Id));
        Assert.Empty((await orders.ListAsync()).Items);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task No_change_of_64_writers_is_lost(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var id = (await Orders(store).CreateAsync(new())).Id;
        var connections = store.Connect(4);
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    var orders = Orders(store, redis: connections[task % 4]);
                    for (var clock = Stopwatch.StartNew(); ; )
                    {
                        try
                        {
                            var order = (await orders.GetAsync(id))!;
                            await orders.ReplaceAsync(order with { Number = order.Number + 1 });
                            return;
                        }
                        catch (DocumentChangedException) when (clock.Elapsed < TimeSpan.FromSeconds(60))
                        {
                            // Somebody else was faster.
                        }
                    }
                })
        );
        var last = await Orders(store).GetAsync(id);
        Assert.Equal((64, 65L), (last!.Number, last.Revision));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_storage_budget_is_exact_and_nobody_elses_data_goes(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var neighbour = TestStore.NewTenant();
        var kept = await Orders(store, tenant: neighbour).CreateAsync(new() { Text = "kept" });
        var connections = store.Connect(4);
        var size = DocumentSize.Of(
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                new TestOrder { Id = new('x', 25), Text = new('y', 1000) },
                DocumentJson.Options
            )
        );
        var budget = DocumentBudget.OfTenant((size * 37) + 100);
        var created = new ConcurrentBag<TestOrder>();
        var refused = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    for (var i = 0; i < 5; i++)
                    {
                        try
                        {
                            created.Add(
                                await Orders(store, $"account-{task % 7}", redis: connections[task % 4], budget: budget)
                                    .CreateAsync(new() { Text = new('y', 1000) })
                            );
                        }
                        catch (StorageBudgetExceededException exception)
                        {
                            Assert.Equal((budget.Tenant, false), (exception.Budget, exception.IsShare));
                            Interlocked.Increment(ref refused);
                        }
                    }
                })
        );
        Assert.Equal((37, 283), (created.Count, refused));

        // What grows is refused as what is new is; what shrinks makes room, and so does what goes.
        var orders = (TestOrder order) => Orders(store, "any", budget: budget).Of(order);
        var some = created.ToArray();
        await Assert.ThrowsAsync<StorageBudgetExceededException>(() =>
            orders(some[0]).ReplaceAsync(some[0] with { Text = new('z', 1101) })
        );
        some[0] = await orders(some[0]).ReplaceAsync(some[0] with { Text = new('z', 1100) });
        await Assert.ThrowsAsync<StorageBudgetExceededException>(() =>
            orders(some[1]).ReplaceAsync(some[1] with { Text = new('z', 1001) })
        );
        some[0] = await orders(some[0]).ReplaceAsync(some[0] with { Text = "" });
        await orders(some[1]).ReplaceAsync(some[1] with { Text = new('z', 2100) });
        await Assert.ThrowsAsync<StorageBudgetExceededException>(() => Orders(store, budget: budget).CreateAsync(new()));
        Assert.True(await orders(some[2]).DeleteAsync(some[2].Id));
        await Orders(store, budget: budget).CreateAsync(new() { Text = new('y', 1000) });
        Assert.Equal(kept, await Orders(store, tenant: neighbour).GetAsync(kept.Id));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_the_documents_take_up_is_counted_to_the_byte(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var orders = Orders(store);
        var a = await orders.CreateWithIdAsync("a", new() { Text = "ü" });
        await orders.CreateWithIdAsync("a", new() { Text = "taken" });
        await orders.CreateWithIdAsync("b", new() { Text = "b" });
        await orders.ReplaceAsync(a! with { Text = "longer" });
        var raw = await store.RawAsync();
        var sizes = await Task.WhenAll(
            (await store.KeysAsync($"tenant:{{{store.Tenant}}}:data:*")).Select(async key =>
                (long)await raw.HashStringLengthAsync(key, "json") + 512
            )
        );
        Assert.Equal(sizes.Sum(), (long)await raw.StringGetAsync($"tenant:{{{store.Tenant}}}:document-storage"));
        await orders.DeleteAsync("a");
        await orders.DeleteAsync("b");
        Assert.Equal(0, (long)await raw.StringGetAsync($"tenant:{{{store.Tenant}}}:document-storage"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task One_caller_takes_no_more_than_its_share_whoever_changes_what_it_created(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var connections = store.Connect(4);
        var size = DocumentSize.Of(
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                new TestOrder { Id = new('x', 25), Text = new('y', 1000) },
                DocumentJson.Options
            )
        );
        var created = new ConcurrentBag<TestOrder>();
        var refused = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    try
                    {
                        created.Add(
                            await Orders(store, $"account-{task % 7}", redis: connections[task % 4], budget: Of("one"))
                                .CreateAsync(new() { Text = new('y', 1000) })
                        );
                    }
                    catch (StorageBudgetExceededException exception)
                    {
                        Assert.Equal((Of("one").Caller, true), (exception.Budget, exception.IsShare));
                        Interlocked.Increment(ref refused);
                    }
                })
        );
        Assert.Equal((19, 45), (created.Count, refused));

        // Others have as much, also where the first one calls for what they created, and the other way round.
        var first = created.First();
        var theirs = await Orders(store, budget: Of("other")).CreateAsync(new() { Text = "other" });
        var full = await Assert.ThrowsAsync<StorageBudgetExceededException>(() =>
            Orders(store, budget: Of("other")).Of(first).ReplaceAsync(first with { Text = new('z', 1101) })
        );
        Assert.True(full.IsShare);
        theirs = await Orders(store, budget: Of("one")).Of(theirs).ReplaceAsync(theirs with { Text = new('z', 1500) });

        // The server itself has no share, and what goes makes room, whoever deletes it.
        await Orders(store, budget: DocumentBudget.OfTenant(Of("one").Tenant)).CreateAsync(new() { Text = "system" });
        await Assert.ThrowsAsync<StorageBudgetExceededException>(() => Orders(store, budget: Of("one")).CreateAsync(new()));
        Assert.True(await Orders(store, budget: Of("other")).Of(first).DeleteAsync(first.Id));
        await Orders(store, budget: Of("one")).CreateAsync(new() { Text = new('y', 1000) });

        DocumentBudget Of(string caller) => new((size * 38) + 100, (size * 19) + 50, caller);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_belongs_to_a_document_is_written_where_that_lies_whoever_calls(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var owner = await Orders(store, "account-1").CreateAsync(new());

        // A call of another account, and one of none, that were given the owner.
        var reports = Deliveries(store, "account-2");
        var delivery = await reports.Of(owner).CreateWithIdAsync("d", new() { Impressions = 1 });
        var second = await Deliveries(store, null).Of(owner).CreateWithIdAsync("e", new() { Impressions = 2 });
        Assert.Null(await reports.GetAsync("d"));
        Assert.Empty((await reports.ListAsync()).Items);
        Assert.Equal([delivery!, second!], (await Deliveries(store, "account-1").ListAsync()).Items);
        Assert.Equal(2, (await reports.Of(owner).ReplaceAsync(delivery! with { Impressions = 3 })).Revision);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reports.ReplaceAsync(delivery!));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Nothing_is_written_for_an_owner_that_is_made_up_foreign_or_gone(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var owner = await Orders(store).CreateAsync(new());
        var deliveries = Deliveries(store, "account-1");
        Assert.Throws<InvalidOperationException>(() => deliveries.Of(new TestOrder { Id = owner.Id, Revision = 1 }));
        var foreign = await Orders(store, tenant: TestStore.NewTenant()).CreateAsync(new());
        Assert.Throws<InvalidOperationException>(() => deliveries.Of(foreign));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Orders(store).ReplaceAsync(foreign));
        await Orders(store).DeleteAsync(owner.Id);
        await Assert.ThrowsAsync<DocumentChangedException>(() => deliveries.Of(owner).CreateAsync(new()));
        Assert.Empty((await deliveries.ListAsync()).Items);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Pages_give_each_document_once_in_the_order_of_creation(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        for (var i = 0; i < 25; i++)
        {
            await Orders(store).CreateAsync(new() { Number = i });
        }

        await Orders(store, "account-2").CreateAsync(new() { Number = -1 });
        await Deliveries(store, "account-1").CreateAsync(new());
        var numbers = new List<int>();
        string? cursor = null;
        do
        {
            var page = await Orders(store).ListAsync(cursor, 10);
            numbers.AddRange(page.Items.Select(order => order.Number));
            cursor = page.NextCursor;
            if (numbers.Count == 10)
            {
                // What goes or comes between two pages moves nothing.
                await Orders(store).DeleteAsync(page.Items[3].Id);
                await Orders(store).DeleteAsync(page.Items[9].Id);
                await Orders(store).CreateAsync(new() { Number = 25 });
            }
        } while (cursor is not null);

        Assert.Equal(Enumerable.Range(0, 26), numbers);
        Assert.Equal(24, (await Orders(store).ListAsync(limit: 200)).Items.Count);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_call_without_an_account_reads_nothing_and_writes_nothing(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var created = await Orders(store).CreateAsync(new());
        var none = Orders(store, null);
        Assert.Null(await none.GetAsync(created.Id));
        Assert.Empty((await none.ListAsync()).Items);
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.CreateAsync(new()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.CreateWithIdAsync("x", new()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.ReplaceAsync(created));
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.DeleteAsync(created.Id));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_purge_takes_all_that_a_tenant_keeps_and_nothing_of_another(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var neighbour = TestStore.NewTenant();
        foreach (var tenant in new[] { store.Tenant, neighbour })
        {
            await Orders(store, tenant: tenant, budget: new(10_000, 10_000, "caller")).CreateAsync(new());
            await new SessionStore(store.Redis, tenant, generation: 0).BeginAsync("session", new("epoch", "caller"));
            await new PrincipalStore(store.Redis, tenant, generation: 0).CreateAsync(new() { Name = "buyer" }, DateTimeOffset.UtcNow);
            var keys = new IdempotencyStore(store.Redis, tenant, generation: 0, new());
            var claim = await keys.ClaimAsync(new("caller", null, "key-0123456789abcdef", "tool", "hash"), TimeSpan.FromSeconds(30));
            await keys.CompleteAsync(Assert.IsType<IdempotencyClaim.Claimed>(claim).Lease, "done"u8.ToArray());
        }

        var before = await store.KeysAsync($"tenant:{{{neighbour}}}:*");
        await store.MarkDeletedAsync(store.Tenant);
        Assert.True(await new TenantPurge(store.Redis).RunAsync(store.Tenant, waits: true, TestContext.Current.CancellationToken));

        // Rate limits go by themselves, within minutes. The number stays, as the tombstone does.
        Assert.All(await store.KeysAsync($"tenant:{{{store.Tenant}}}:*"), key => Assert.Matches(":(rate-limit:.*|generation)$", key));
        Assert.Equal(before.Order(), (await store.KeysAsync($"tenant:{{{neighbour}}}:*")).Order());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Many_ids_give_nothing_of_another_account_and_end_with_the_wait(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var mine = (await Orders(store).CreateWithIdAsync("same", new() { Text = "mine" }))!;
        var second = (await Orders(store, "account-2").CreateWithIdAsync("same", new() { Text = "second" }))!;
        var foreign = await Orders(store, "account-3").CreateAsync(new());
        var neighbour = await Orders(store, tenant: TestStore.NewTenant()).CreateAsync(new());
        string[] ids = [foreign.Id, neighbour.Id, "same"];

        Assert.Equal([mine], await Orders(store).GetAllAsync(ids));
        Assert.Equal([second], await Of("account-2", "account-1").GetAllAsync(ids));
        Assert.Empty(await Of().GetAllAsync(ids));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Orders(store).GetAllAsync(ids, new(canceled: true)));

        Documents<TestOrder> Of(params string[] readable) =>
            new(
                new DocumentScope(
                    store.Redis,
                    store.Tenant,
                    null,
                    "operation",
                    new UnitOfWork(DocumentBudget.OfTenant(0)),
                    () => { },
                    new ReadableAccounts(_ => Task.FromResult<IReadOnlyList<string>>(readable))
                )
            );
    }

    private CommittedDocuments<TestOrder> Orders(
        TestStore store,
        string? account = "account-1",
        string? operation = null,
        TenantId? tenant = null,
        RedisConnection? redis = null,
        DocumentBudget? budget = null
    ) => Documents<TestOrder>(store, account, operation, tenant, redis, budget);

    private CommittedDocuments<TestDelivery> Deliveries(TestStore store, string? account) => Documents<TestDelivery>(store, account);

    private CommittedDocuments<T> Documents<T>(
        TestStore store,
        string? account,
        string? operation = null,
        TenantId? tenant = null,
        RedisConnection? redis = null,
        DocumentBudget? budget = null
    )
        where T : TenantDocument =>
        new(
            redis ?? store.Redis,
            tenant ?? store.Tenant,
            account,
            operation ?? $"operation-{Interlocked.Increment(ref _operations)}",
            budget
        );
}
