// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using System.Text.Json;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Document("test_nests")]
internal sealed record TestNest : TenantDocument
{
    public JsonElement Inside { get; init; }
}

/// <summary>What one request reads and writes is bounded in bytes and in look-ups, whatever it names.</summary>
[Tier(Tier.Process)]
public sealed class DocumentBytesTests(TestStores stores)
{
    private int _operations;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_document_is_as_large_as_it_may_be_and_no_larger(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var budget = DocumentBudget.OfTenant(1_000_000) with { Document = 2000 };
        var orders = Orders(store, budget: budget);
        var empty = DocumentJson.Write(new TestOrder { Id = "id" }).Length;
        var largest = (await orders.CreateWithIdAsync("id", new() { Text = new('x', 2000 - empty) }))!;
        var refused = await Assert.ThrowsAsync<DocumentTooLargeException>(() =>
            orders.CreateWithIdAsync("more", new() { Text = new('x', 2000) })
        );
        Assert.Contains("2000 are the most", refused.CallerMessage, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DocumentTooLargeException>(() => orders.ReplaceAsync(largest with { Text = largest.Text + "y" }));
        Assert.Equal([largest], (await orders.ListAsync()).Items);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_nested_too_deeply_to_be_answered_again_is_not_taken(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var nests = new CommittedDocuments<TestNest>(store.Redis, store.Tenant, "account", "operation");
        await nests.CreateWithIdAsync("deepest", new() { Inside = Nest(47) });
        var refused = await Assert.ThrowsAsync<DocumentTooLargeException>(() =>
            nests.CreateWithIdAsync("deeper", new() { Inside = Nest(48) })
        );
        Assert.Contains("48 levels", refused.CallerMessage, StringComparison.Ordinal);
        Assert.Equal("deepest", Assert.Single((await nests.ListAsync()).Items).Id);

        static JsonElement Nest(int levels) =>
            JsonElement.Parse(string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_page_ends_at_a_mebibyte_and_the_next_goes_on(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        for (var i = 0; i < 40; i++)
        {
            await Orders(store).CreateAsync(new() { Number = i, Text = new('x', i % 2 == 0 ? 100_000 : 1_000) });
        }

        var numbers = new List<int>();
        string? cursor = null;
        do
        {
            var page = await Orders(store).ListAsync(cursor, 200);
            Assert.InRange(page.Items.Sum(order => order.Text.Length), 1, 1_150_000);
            numbers.AddRange(page.Items.Select(order => order.Number));
            cursor = page.NextCursor;
        } while (cursor is not null);
        Assert.Equal(Enumerable.Range(0, 40), numbers);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task More_than_fits_into_an_answer_is_not_read_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        string[] ids = [.. Enumerable.Range(0, 45).Select(i => $"{i}")];
        foreach (var id in ids)
        {
            await Orders(store).CreateWithIdAsync(id, new() { Text = new('x', 200_000) });
        }

        Assert.Equal(40, (await Orders(store).GetAllAsync(ids.Take(40))).Count);
        await Assert.ThrowsAsync<ReadTooLargeException>(() => Orders(store).GetAllAsync(ids));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task An_id_that_many_accounts_have_is_found_in_the_callers_own_ones_only(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        for (var i = 0; i < 100; i++)
        {
            await Orders(store, $"account-{i}").CreateWithIdAsync("banner", new() { Number = i });
            await Orders(store, $"account-{i}").CreateWithIdAsync($"own-{i}", new() { Number = i });
        }

        Assert.Equal(97, Assert.Single(await Everywhere(store, "none", "account-97", "account-3").GetAllAsync(["banner", "own-5"])).Number);
        Assert.Empty(await Everywhere(store, "none", "nobody").GetAllAsync(["banner", "own-5"]));
        Assert.Equal(
            [3, 97],
            (await Everywhere(store, "account-3", "account-97").GetAllAsync(["own-3", "own-97", "own-4"])).Select(order => order.Number)
        );
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Documents_that_an_older_release_wrote_without_the_index_are_found_by_their_ids(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        for (var i = 0; i < 7; i++)
        {
            await Orders(store, $"account-{i}").CreateWithIdAsync($"{i}", new() { Number = i });
        }

        var raw = await store.RawAsync();
        var index = new TenantKeyspace(store.Tenant).DocumentIds;
        await raw.KeyDeleteAsync(index);
        await Orders(store, "account-7").CreateWithIdAsync("7", new() { Number = 7 });
        await Orders(store, "account-2").DeleteAsync("2");
        var all = Everywhere(store, [.. Enumerable.Range(0, 8).Select(i => $"account-{i}")]);
        Assert.Equal(
            [0, 1, 3, 4, 5, 6, 7],
            (await all.GetAllAsync(Enumerable.Range(0, 9).Select(i => $"{i}"))).Select(order => order.Number)
        );
        Assert.Equal(7, await raw.SortedSetLengthAsync(index));
    }

    [Fact]
    public async Task Documents_are_read_and_large_commits_are_sent_on_a_connection_of_their_own()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = new TestStore(
            ConfigurationOptions.Parse(server.ConnectionString + ",allowAdmin=true"),
            TimeProvider.System
        );
        var redis = store.Connect();
        await new CommittedDocuments<TestOrder>(redis, store.Tenant, "account", "operation").CreateWithIdAsync("id", new());
        var documents = new CommittedDocuments<TestOrder>(redis, store.Tenant, "account", "reader");
        await documents.ListAsync();
        Assert.NotNull(await documents.GetAsync("id"));
        await redis.GetAsync(new TenantKeyspace(store.Tenant).Generation);

        var clients = (await (await store.RawAsync()).ExecuteAsync("CLIENT", "LIST")).ToString().Split('\n');
        Assert.Contains(clients, client => client.Contains(" name=tenancy-large ", StringComparison.Ordinal) && Did(client, "hmget"));
        Assert.DoesNotContain(clients, client => client.Contains(" name=tenancy ", StringComparison.Ordinal) && Did(client, "hmget"));

        await new CommittedDocuments<TestOrder>(redis, store.Tenant, "account", "second").CreateWithIdAsync(
            "large",
            new() { Text = new('x', 100_000) }
        );
        clients = (await (await store.RawAsync()).ExecuteAsync("CLIENT", "LIST")).ToString().Split('\n');
        Assert.Contains(clients, client => client.Contains(" name=tenancy-large ", StringComparison.Ordinal) && Did(client, "evalsha"));

        static bool Did(string client, string command) => client.Contains($" cmd={command} ", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_answer_is_replayed_on_the_connection_of_large_reads_and_a_small_one_comes_with_the_claim()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = new TestStore(
            ConfigurationOptions.Parse(server.ConnectionString + ",allowAdmin=true"),
            TimeProvider.System
        );
        Assert.Equal((1, false), await ReplayAsync(RedisConnection.LargeBytes));
        Assert.Equal((1, true), await ReplayAsync(RedisConnection.LargeBytes + 1));

        // Scripts of the small connection, and whether the large one read.
        async Task<(int Scripts, bool IsReadAside)> ReplayAsync(int length)
        {
            var small = new ProfilingSession();
            var redis = store.Connect(profiler: () => small);
            var keys = new IdempotencyStore(redis, store.Tenant, generation: 0, new());
            var request = new IdempotentRequest("caller", "account", $"key-{length}", "tool", "hash");
            var claim = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30)));
            await keys.CompleteAsync(claim.Lease, new byte[length]);
            small.FinishProfiling();
            Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30)));
            var commands = small.FinishProfiling().Select(command => command.Command).ToArray();
            return (commands.Count(command => command.StartsWith("EVAL", StringComparison.Ordinal)), commands.Contains("HMGET"));
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Pages_over_several_accounts_have_each_document_once_whatever_order_the_accounts_are_found_in(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        string[] accounts = ["a", "b", "c", "d"];
        foreach (var (i, account) in accounts.Index())
        {
            await Orders(store, account).CreateAsync(new() { Number = 2 * i });
            await Orders(store, account).CreateAsync(new() { Number = 2 * i + 1 });
        }

        List<int> numbers = [];
        string? cursor = null;
        for (var pages = 0; pages < 8 && (pages == 0 || cursor is not null); pages++)
        {
            accounts = [.. accounts[1..], accounts[0]];
            var page = await Everywhere(store, accounts).ListAsync(cursor, 1);
            numbers.AddRange(page.Items.Select(order => order.Number));
            cursor = page.NextCursor;
        }

        Assert.Equal(Enumerable.Range(0, 8), numbers.Order());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_commit_and_its_answer_may_both_be_as_large_as_they_may(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, new());
        var request = new IdempotentRequest("caller", "account", "key-0123456789abcdef", "tool", "hash");
        var lease = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30))).Lease;
        var unit = new UnitOfWork(DocumentBudget.OfTenant(100_000_000) with { Document = 1024 * 1024 });
        var orders = new Documents<TestOrder>(new DocumentScope(store.Redis, store.Tenant, "account", "operation", unit, () => { }));
        for (var i = 0; i < DocumentWork.MaxDocuments; i++)
        {
            await orders.CreateAsync(
                new() { Number = i, Text = new('x', DocumentWork.MaxBytes / DocumentWork.MaxDocuments - 200) },
                $"{i}"
            );
        }

        Assert.True((await keys.CompleteAsync(lease, new byte[4 * 1024 * 1024], unit.Work)).IsStored);
        Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(request, TimeSpan.FromSeconds(30)));
    }

    private static Documents<TestOrder> Everywhere(TestStore store, params string[] accounts) =>
        new(
            new DocumentScope(
                store.Redis,
                store.Tenant,
                null,
                "reader",
                new UnitOfWork(DocumentBudget.OfTenant(0)),
                () => { },
                new ReadableAccounts(_ => Task.FromResult<IReadOnlyList<string>>(accounts))
            )
        );

    private CommittedDocuments<TestOrder> Orders(TestStore store, string account = "account", DocumentBudget? budget = null) =>
        new(store.Redis, store.Tenant, account, $"operation-{_operations++}", budget);
}
