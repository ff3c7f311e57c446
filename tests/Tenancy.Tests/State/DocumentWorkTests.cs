// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What a call writes is its own until it is committed, and then it is there as a whole or not at all.</summary>
[Tier(Tier.Process)]
public sealed class DocumentWorkTests(TestStores stores)
{
    private int _operations;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Writes_are_seen_by_the_call_alone_until_they_are_committed(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var before = Begin(store);
        var kept = await before.Orders.CreateAsync(new() { Text = "kept" });
        var gone = (await before.Orders.CreateWithIdAsync("gone", new() { Text = "gone" }))!;
        await before.CommitAsync();

        var call = Begin(store);
        var made = await call.Orders.CreateAsync(new() { Text = "made" });
        var replaced = await call.Orders.ReplaceAsync(kept with { Text = "replaced" });
        Assert.True(await call.Orders.DeleteAsync("gone"));
        var delivery = await call.Deliveries.Of(made).CreateAsync(new() { Impressions = 7 });

        Assert.Equal((1, 2), (made.Revision, replaced.Revision));
        Assert.Equal(made, await call.Orders.GetAsync(made.Id));
        Assert.Null(await call.Orders.GetAsync("gone"));
        Assert.Equal([replaced, made], await call.Orders.GetAllAsync([kept.Id, "gone", made.Id]));
        Assert.Equal([replaced, made], (await call.Orders.ListAsync()).Items);
        Assert.Equal([delivery], (await call.Deliveries.ListAsync()).Items);
        Assert.Equal([kept, gone], (await Begin(store).Orders.ListAsync()).Items);
        Assert.Empty((await Begin(store).Deliveries.ListAsync()).Items);

        await call.CommitAsync();
        Assert.Equal([replaced, made], (await call.Orders.ListAsync()).Items);
        Assert.Equal([replaced, made], (await Begin(store).Orders.ListAsync()).Items);
        Assert.Equal([delivery], (await Begin(store).Deliveries.ListAsync()).Items);
        await AssertCountedAsync(store);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_new_is_listed_last_in_its_order_before_and_after_the_commit(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var before = Begin(store);
        for (var i = 0; i < 5; i++)
        {
            await before.Orders.CreateWithIdAsync($"{i}", new() { Number = i });
        }

        await before.CommitAsync();
        var call = Begin(store);
        for (var i = 5; i < 12; i++)
        {
            await call.Orders.CreateWithIdAsync($"{i}", new() { Number = i });
        }

        await call.Orders.DeleteAsync("1");
        await call.Orders.CreateWithIdAsync("1", new() { Number = 101 });
        int[] expected = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 101];
        foreach (var limit in new[] { 1, 2, 3, 4, 5, 11, 12, 13, 200 })
        {
            Assert.Equal(expected, await ListAsync(call.Orders, limit));
        }

        // A cursor that a caller took along goes on where it was.
        var first = await call.Orders.ListAsync(limit: 2);
        await call.CommitAsync();
        Assert.Equal(expected, await ListAsync(Begin(store).Orders, 3));
        Assert.Equal(expected[1..4], (await Begin(store).Orders.ListAsync(first.NextCursor, 3)).Items.Select(order => order.Number));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task One_document_that_was_changed_meanwhile_keeps_all_others_from_being_written(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var before = Begin(store);
        var a = (await before.Orders.CreateWithIdAsync("a", new()))!;
        var b = (await before.Orders.CreateWithIdAsync("b", new()))!;
        var c = (await before.Orders.CreateWithIdAsync("c", new()))!;
        await before.CommitAsync();
        var creator = Begin(store, operation: "operation of found by its creator, and another one made under its id");
        await creator.Orders.CreateWithIdAsync("own", new());
        await creator.CommitAsync();
        (string Name, Func<Call, Task> Write, Func<Call, Task> Meanwhile)[] conflicts =
        [
            (
                "replaced",
                call => call.Orders.ReplaceAsync(b with { Number = 1 }),
                other => other.Orders.ReplaceAsync(b with { Number = 2 })
            ),
            ("deleted", call => call.Orders.DeleteAsync("b"), other => other.Orders.DeleteAsync("b")),
            ("taken", call => call.Orders.CreateWithIdAsync("n", new()), other => other.Orders.CreateWithIdAsync("n", new())),
            ("owner gone", call => call.Deliveries.Of(c).CreateAsync(new()), other => other.Orders.DeleteAsync("c")),
            (
                "deleted and made again",
                call => call.Orders.DeleteAsync("a"),
                async other =>
                {
                    await other.Orders.DeleteAsync("a");
                    await other.Orders.CreateWithIdAsync("a", new());
                }
            ),
            (
                "read, and another one made under its id",
                async call => await call.Orders.ReplaceAsync((await call.Orders.GetAsync("a"))! with { Number = 1 }),
                async other =>
                {
                    await other.Orders.DeleteAsync("a");
                    await other.CommitAsync();
                    await other.Orders.CreateWithIdAsync("a", new() { Text = "another" });
                }
            ),
            (
                "found by its creator, and another one made under its id",
                async call => await call.Orders.ReplaceAsync((await call.Orders.CreateWithIdAsync("own", new()))! with { Number = 1 }),
                async other =>
                {
                    await other.Orders.DeleteAsync("own");
                    await other.CommitAsync();
                    await other.Orders.CreateWithIdAsync("own", new() { Text = "another" });
                }
            ),
        ];
        foreach (var (name, write, meanwhile) in conflicts)
        {
            var call = Begin(store, operation: $"operation of {name}");
            await call.Orders.CreateAsync(new() { Text = name });
            await write(call);
            await call.Deliveries.CreateAsync(new());
            var other = Begin(store);
            await meanwhile(other);
            await other.CommitAsync();
            var expected = (await Begin(store).Orders.ListAsync()).Items;

            await Assert.ThrowsAsync<DocumentChangedException>(call.CommitAsync);
            Assert.Equal(expected, (await Begin(store).Orders.ListAsync()).Items);
            Assert.Empty((await Begin(store).Deliveries.ListAsync()).Items);
            await AssertCountedAsync(store);

            // What was refused is dropped: the call can begin again.
            Assert.Equal(expected, (await call.Orders.ListAsync()).Items);
            await call.CommitAsync();
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_full_budget_keeps_all_of_it_from_being_written(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var call = Begin(store, budget: 2500);
        for (var i = 0; i < 5; i++)
        {
            await call.Orders.CreateWithIdAsync($"{i}", new());
        }

        Assert.Equal(2500, (await Assert.ThrowsAsync<StorageBudgetExceededException>(call.CommitAsync)).Budget);
        Assert.Empty((await Begin(store).Orders.ListAsync()).Items);

        // What goes makes room for what comes with it.
        for (var i = 0; i < 4; i++)
        {
            await call.Orders.CreateWithIdAsync($"{i}", new());
        }

        await call.CommitAsync();
        await call.Orders.DeleteAsync("0");
        await call.Orders.CreateWithIdAsync("new", new());
        await call.CommitAsync();
        Assert.Equal(["1", "2", "3", "new"], (await Begin(store).Orders.ListAsync()).Items.Select(order => order.Id));
        await AssertCountedAsync(store);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Several_writes_of_one_document_are_one(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var call = Begin(store);
        var order = (await call.Orders.CreateWithIdAsync("a", new() { Number = 1 }))!;
        Assert.Equal(order, await call.Orders.CreateWithIdAsync("a", new() { Number = 9 }));
        var second = await call.Orders.ReplaceAsync(order with { Number = 2 });
        await Assert.ThrowsAsync<DocumentChangedException>(() => call.Orders.ReplaceAsync(order with { Number = 3 }));
        await call.CommitAsync();
        Assert.Equal((2, 2L), (second.Number, (await Begin(store).Orders.GetAsync("a"))!.Revision));

        // Replaced and deleted, then made anew: it is another document under the same id.
        second = await call.Orders.ReplaceAsync(second with { Number = 4 });
        Assert.True(await call.Orders.DeleteAsync("a"));
        Assert.False(await call.Orders.DeleteAsync("a"));
        await Assert.ThrowsAsync<DocumentChangedException>(() => call.Orders.ReplaceAsync(second));
        var anew = await call.Orders.CreateWithIdAsync("a", new() { Number = 5 });
        await call.CommitAsync();
        Assert.Equal(anew, await Begin(store).Orders.GetAsync("a"));
        Assert.Equal(1, anew!.Revision);

        // Made and deleted: nothing is left of it.
        await call.Orders.CreateAsync(new(), "short-lived");
        Assert.True(await call.Orders.DeleteAsync((await call.Orders.CreateAsync(new(), "short-lived")).Id));
        await call.CommitAsync();
        Assert.Equal([anew], (await Begin(store).Orders.ListAsync()).Items);
        await AssertCountedAsync(store);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_becomes_of_an_owner_in_the_same_call_is_known_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var call = Begin(store);
        var owner = await call.Orders.CreateAsync(new());
        await call.Deliveries.Of(owner).CreateWithIdAsync("d", new());
        await call.CommitAsync();
        Assert.NotNull(await Begin(store).Deliveries.Of(owner).GetAsync("d"));

        await call.Orders.DeleteAsync(owner.Id);
        await Assert.ThrowsAsync<DocumentChangedException>(() => call.Deliveries.Of(owner).CreateAsync(new()));
        await call.CommitAsync();
        await call.Deliveries.Of(owner).CreateAsync(new());
        await Assert.ThrowsAsync<DocumentChangedException>(call.CommitAsync);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task More_than_one_commit_may_hold_is_refused_with_the_way_out(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var call = Begin(store);
        var order = await call.Orders.CreateAsync(new());
        for (var i = 1; i < DocumentWork.MaxDocuments; i++)
        {
            await call.Orders.CreateAsync(new(), $"{i}");
        }

        var refusal = await Assert.ThrowsAsync<CommitTooLargeException>(() => call.Orders.CreateAsync(new(), "one more"));
        Assert.Contains("FlushAsync", refusal.Message, StringComparison.Ordinal);
        await call.Orders.ReplaceAsync(order with { Number = 1 });
        await call.CommitAsync();
        await call.Orders.CreateAsync(new(), "one more");
        await call.CommitAsync();
        Assert.Equal(129, (await Begin(store).Orders.ListAsync(limit: 200)).Items.Count);

        for (var i = 0; i < 7; i++)
        {
            await call.Orders.CreateAsync(new() { Text = new('x', 512 * 1024) }, $"large {i}");
        }

        await Assert.ThrowsAsync<CommitTooLargeException>(() => call.Orders.CreateAsync(new() { Text = new('x', 600_000) }, "too large"));
        var large = await call.Orders.CreateAsync(new() { Text = new('x', 500_000) }, "large");
        await Assert.ThrowsAsync<CommitTooLargeException>(() => call.Orders.ReplaceAsync(large with { Text = new('x', 600_000) }));
        await call.CommitAsync();
        Assert.Equal(large, await Begin(store).Orders.GetAsync(large.Id));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_creation_finds_what_the_same_operation_created_before(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var flushed = Begin(store, operation: "op");
        var first = await flushed.Orders.CreateAsync(new() { Number = 1 });
        await flushed.CommitAsync();
        Assert.Equal(first, await flushed.Orders.CreateAsync(new() { Number = 2 }));

        // A try that knows of no other is told at the commit, and the next one looks first.
        var retry = Begin(store, operation: "op");
        await retry.Orders.CreateAsync(new() { Number = 3 });
        await Assert.ThrowsAsync<DocumentChangedException>(retry.CommitAsync);
        Assert.Equal(first, await retry.Orders.CreateAsync(new() { Number = 4 }));
        Assert.Equal([first], (await Begin(store).Orders.ListAsync()).Items);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Nothing_is_claimed_committed_or_given_back_for_a_life_of_the_tenant_that_is_over(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var generation = new TenantKeyspace(store.Tenant).Generation.Value;
        await (await store.RawAsync()).StringSetAsync(generation, 7);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 7, new());
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30))).Lease;
        var call = Begin(store, generation: 7);
        await call.Orders.CreateAsync(new());

        await (await store.RawAsync()).StringSetAsync(generation, 8);
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            keys.ClaimAsync(request with { Key = "other" }, TimeSpan.FromSeconds(30))
        );
        await Assert.ThrowsAsync<StoreUnavailableException>(() => keys.ReleaseAsync(lease));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => keys.CompleteAsync(lease, "done"u8.ToArray()));
        await Assert.ThrowsAsync<StoreUnavailableException>(call.CommitAsync);
        Assert.Empty((await Begin(store).Orders.ListAsync()).Items);

        await (await store.RawAsync()).StringSetAsync(generation, 7);
        await call.CommitAsync();
        Assert.Single((await Begin(store).Orders.ListAsync()).Items);
        Assert.True((await keys.CompleteAsync(lease, "done"u8.ToArray())).IsStored);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task An_answer_is_kept_with_the_documents_or_neither_is_there(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var before = Begin(store);
        var order = (await before.Orders.CreateWithIdAsync("a", new()))!;
        await before.CommitAsync();
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, new());
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30))).Lease;

        var loser = Begin(store);
        await loser.Orders.ReplaceAsync(order with { Number = 1 });
        await before.Orders.ReplaceAsync(order with { Number = 2 });
        await before.CommitAsync();
        await Assert.ThrowsAsync<DocumentChangedException>(() => keys.CompleteAsync(lease, "lost"u8.ToArray(), loser.Work));
        Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30)));

        var winner = Begin(store);
        await winner.Orders.ReplaceAsync((await winner.Orders.GetAsync("a"))! with { Number = 3 });
        var late = Begin(store);
        await late.Orders.CreateAsync(new() { Number = 4 });
        Assert.True((await keys.CompleteAsync(lease, "won"u8.ToArray(), winner.Work)).IsStored);

        // Said again it changes nothing, whatever comes with it.
        Assert.True((await keys.CompleteAsync(lease, "again"u8.ToArray(), late.Work)).IsStored);
        Assert.Equal([3], (await Begin(store).Orders.ListAsync()).Items.Select(item => item.Number));
        Assert.Equal(
            "won"u8.ToArray(),
            Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30))).Response.ToArray()
        );
        await AssertCountedAsync(store);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_same_document_written_by_tasks_of_one_call_is_written_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var call = Begin(store);
        var order = await call.Orders.CreateAsync(new());
        await call.CommitAsync();
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        await call.Orders.CreateAsync(new() { Number = i }, $"{i}");
                        try
                        {
                            await call.Orders.ReplaceAsync(order with { Number = i });
                            return 1;
                        }
                        catch (DocumentChangedException)
                        {
                            return 0;
                        }
                    })
                )
        );
        Assert.Equal(1, results.Sum());
        await call.CommitAsync();
        Assert.Equal(51, (await Begin(store).Orders.ListAsync(limit: 200)).Items.Count);
        await AssertCountedAsync(store);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_commit_whose_reply_is_lost_is_known_again(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var before = Begin(direct);
        var order = (await before.Orders.CreateWithIdAsync("a", new()))!;
        await before.Orders.CreateWithIdAsync("b", new());
        await before.CommitAsync();

        Func<Call, Task>[] writes =
        [
            call => call.Orders.CreateAsync(new()),
            async call => order = await call.Orders.ReplaceAsync(order with { Number = order.Number + 1 }),
            call => call.Orders.DeleteAsync("b"),
        ];
        for (var i = 0; i < writes.Length; i++)
        {
            foreach (var afterIt in new[] { false, true })
            {
                var call = Begin(direct, lossy.Redis);
                await writes[i](call);
                await Begin(direct, lossy.Redis).Orders.GetAsync("warm");
                proxy.Arm(1, afterIt);
                await call.CommitAsync();
                Assert.True(proxy.Seen > 1, "The commit was sent once.");
                if (i == 2)
                {
                    await before.Orders.CreateWithIdAsync("b", new());
                    await before.CommitAsync();
                }
            }
        }

        Assert.Equal((2, 3L), ((await Begin(direct).Orders.GetAsync("a"))!.Number, (await Begin(direct).Orders.GetAsync("a"))!.Revision));
        Assert.Equal(4, (await Begin(direct).Orders.ListAsync()).Items.Count);
        await AssertCountedAsync(direct);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Deletions_that_are_sent_again_leave_what_a_rival_put_in_their_place(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var rival = Begin(direct);
        await rival.Orders.CreateWithIdAsync("a", new());
        await rival.Orders.CreateWithIdAsync("b", new());
        await rival.CommitAsync();
        var call = Begin(direct, lossy.Redis);
        await call.Orders.DeleteAsync("a");
        await call.Orders.DeleteAsync("b");
        await rival.Orders.DeleteAsync("b");
        await rival.CommitAsync();
        await rival.Orders.CreateWithIdAsync("b", new());
        await rival.CommitAsync();
        await Begin(direct, lossy.Redis).Orders.GetAsync("warm");

        // The first send never arrives: whether it did, the store can tell by nothing that it keeps.
        proxy.Arm(1, afterIt: false);
        await Assert.ThrowsAsync<DocumentChangedException>(() => call.CommitAsync());

        Assert.True(proxy.Seen > 1, "The commit was sent once.");
        Assert.NotNull(await Begin(direct).Orders.GetAsync("a"));
        Assert.NotNull(await Begin(direct).Orders.GetAsync("b"));
        await AssertCountedAsync(direct);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_claim_whose_reply_is_lost_is_ones_own_and_no_others(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        await keys.ClaimAsync(request with { Key = "warm" }, TimeSpan.FromSeconds(30));
        proxy.Arm(1, afterIt: true);
        var claim = await keys.ClaimAsync(request, TimeSpan.FromSeconds(30));
        Assert.Equal(2, proxy.Seen);
        Assert.False(Assert.IsType<IdempotencyClaim.Claimed>(claim).Lease.IsTakenOver);
        Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_claim_that_is_taken_over_says_so_also_when_its_reply_is_lost(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        await keys.ClaimAsync(request, TimeSpan.Zero);
        proxy.Arm(1, afterIt: true);
        var claim = await keys.ClaimAsync(request, TimeSpan.FromSeconds(30));
        Assert.Equal(2, proxy.Seen);
        Assert.True(Assert.IsType<IdempotencyClaim.Claimed>(claim).Lease.IsTakenOver);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_claim_whose_replies_are_all_lost_is_given_back(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        await keys.ClaimAsync(request with { Key = "warm" }, TimeSpan.FromSeconds(30));
        LoseReplies(proxy);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => keys.ClaimAsync(request, TimeSpan.FromSeconds(60)));
        proxy.Arm(0, afterIt: false);
        var others = new IdempotencyStore(direct.Redis, direct.Tenant, generation: 0, new());
        await Poll.UntilAsync(async () => await others.ClaimAsync(request, TimeSpan.FromSeconds(60)) is IdempotencyClaim.Claimed);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task After_a_flush_that_was_written_and_never_answered_the_end_of_the_call_keeps_its_answer(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(60))).Lease;
        var call = Begin(direct, lossy.Redis, lease: lease);
        await call.Orders.CreateAsync(new());
        LoseReplies(proxy);
        await Assert.ThrowsAsync<StoreUnavailableException>(call.CommitAsync);
        proxy.Arm(0, afterIt: false);

        // The handler lets it be.
        Assert.True((await keys.CompleteAsync(lease, "done"u8.ToArray(), call.Work)).IsStored);
        Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(60)));
        Assert.Single((await Begin(direct).Orders.ListAsync()).Items);
        await AssertCountedAsync(direct);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_flush_of_a_claimed_call_is_known_again_whatever_became_of_its_documents(StoreKind kind)
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        var before = Begin(direct);
        await before.Orders.CreateWithIdAsync("gone", new());
        await before.CommitAsync();
        (string Name, Func<Call, Task> Write, Func<Call, Task> Rival)[] flushes =
        [
            (
                "replaced",
                call => call.Orders.CreateWithIdAsync("new", new()),
                async rival => await rival.Orders.ReplaceAsync((await rival.Orders.GetAsync("new"))! with { Number = 7 })
            ),
            ("deleted", call => call.Orders.DeleteAsync("gone"), rival => rival.Orders.CreateWithIdAsync("gone", new() { Number = 8 })),
        ];
        foreach (var (name, write, rivalWrite) in flushes)
        {
            var request = new IdempotentRequest("caller", "account", $"key-of-{name}-0123456789", "tool", "hash");
            var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(60))).Lease;
            var (call, rival) = (Begin(direct, lossy.Redis, lease: lease), Begin(direct));
            await write(call);
            proxy.Arm(1, afterIt: true, meanwhile: WriteAsync);
            await call.CommitAsync();
            Assert.True(proxy.Seen > 1, "The flush was sent once.");
            await call.Orders.CreateAsync(new(), name);
            Assert.True((await keys.CompleteAsync(lease, "done"u8.ToArray(), call.Work)).IsStored);

            async Task WriteAsync()
            {
                await rivalWrite(rival);
                await rival.CommitAsync();
            }
        }

        Assert.Equal([0, 0, 7, 8], (await Begin(direct).Orders.ListAsync()).Items.Select(order => order.Number).Order());
        await AssertCountedAsync(direct);
    }

    [Theory]
    [InlineData(StoreKind.Embedded, false)]
    [InlineData(StoreKind.Redis, false)]
    [InlineData(StoreKind.Embedded, true)]
    [InlineData(StoreKind.Redis, true)]
    public async Task A_list_that_a_call_used_is_as_old_as_its_own_flush_and_no_older_though_the_reply_to_that_was_lost(
        StoreKind kind,
        bool hasRival
    )
    {
        await using var direct = await stores.GetAsync(kind);
        await using var proxy = new StoreProxy(direct.EndPoint);
        await using var lossy = direct.Through(proxy);
        var keys = new IdempotencyStore(lossy.Redis, direct.Tenant, generation: 0, new());
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(60))).Lease;
        var (call, rival) = (Begin(direct, lossy.Redis, lease: lease), Begin(direct));
        Assert.Empty(await call.Orders.ListCachedAsync(10));
        await call.Orders.CreateAsync(new(), "first");
        await rival.Orders.CreateAsync(new());
        proxy.Arm(1, afterIt: true, meanwhile: hasRival ? () => rival.CommitAsync() : null);
        await call.CommitAsync();
        Assert.True(proxy.Seen > 1, "The flush was sent once.");
        await call.Orders.CreateAsync(new(), "second");
        var completing = keys.CompleteAsync(lease, "done"u8.ToArray(), call.Work);
        if (hasRival)
        {
            await Assert.ThrowsAsync<DocumentChangedException>(() => completing);
        }
        else
        {
            Assert.True((await completing).IsStored);
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_new_is_listed_after_a_cursor_also_where_the_clock_of_the_store_has_fallen_back(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var slow = new MovableClock();
        slow.Advance(TimeSpan.FromHours(-1));
        var behind = store.Connect(slow);
        var before = Begin(store);
        await before.Orders.CreateAsync(new() { Number = 1 }, "1");
        await before.Orders.CreateAsync(new() { Number = 2 }, "2");
        await before.CommitAsync();
        var first = await Begin(store).Orders.ListAsync(limit: 1);
        var after = Begin(store, behind);
        await after.Orders.CreateAsync(new() { Number = 3 }, "3");
        await after.Orders.CreateAsync(new() { Number = 4 }, "4");
        await after.CommitAsync();
        Assert.Equal([2, 3, 4], (await Begin(store).Orders.ListAsync(first.NextCursor)).Items.Select(order => order.Number));
    }

    // Each reply from now on, until the proxy is told otherwise.
    private static void LoseReplies(StoreProxy proxy) => proxy.Arm(1, afterIt: true, meanwhile: () =>
        {
            LoseReplies(proxy);
            return Task.CompletedTask;
        });

    private static async Task<int[]> ListAsync(Documents<TestOrder> orders, int limit)
    {
        List<int> numbers = [];
        string? cursor = null;
        do
        {
            var page = await orders.ListAsync(cursor, limit);
            numbers.AddRange(page.Items.Select(order => order.Number));
            cursor = page.NextCursor;
        } while (cursor is not null);
        return [.. numbers];
    }

    // Index, documents and the count of their bytes say the same.
    private static async Task AssertCountedAsync(TestStore store)
    {
        var raw = await store.RawAsync();
        var keys = await store.KeysAsync($"tenant:{{{store.Tenant}}}:data:*");
        var sizes = await Task.WhenAll(keys.Select(async key => (long)await raw.HashStringLengthAsync(key, "json") + 512));
        var places = await Task.WhenAll(keys.Select(async key => (await raw.HashGetAsync(key, "place")).ToString()));
        var index = (await raw.SortedSetRangeByRankAsync($"tenant:{{{store.Tenant}}}:documents")).Select(place => place.ToString());
        Assert.Equal(sizes.Sum(), (long)await raw.StringGetAsync($"tenant:{{{store.Tenant}}}:document-storage"));
        Assert.Equal(places.Order(StringComparer.Ordinal), index.Order(StringComparer.Ordinal));
    }

    private Call Begin(
        TestStore store,
        RedisConnection? redis = null,
        string? operation = null,
        long budget = TenantLimits.DefaultMaxDocumentBytes,
        long generation = 0,
        IdempotencyLease? lease = null
    ) =>
        new(
            redis ?? store.Redis,
            store.Tenant,
            generation,
            operation ?? $"operation-{Interlocked.Increment(ref _operations)}",
            budget,
            lease
        );

    private sealed class Call(
        RedisConnection redis,
        TenantId tenant,
        long generation,
        string operation,
        long budget,
        IdempotencyLease? lease
    )
    {
        private readonly UnitOfWork _unit = new(DocumentBudget.OfTenant(budget) with { Document = 1024 * 1024 });

        public Documents<TestOrder> Orders => new(Scope);

        public Documents<TestDelivery> Deliveries => new(Scope);

        public DocumentWork? Work => _unit.Work;

        private DocumentScope Scope => new(redis, tenant, "account", operation, _unit, () => { });

        public Task CommitAsync() =>
            _unit.Work is { IsEmpty: false } work
                ? DocumentCommit.FlushAsync(redis, new(tenant), generation, work, lease)
                : Task.CompletedTask;
    }
}
