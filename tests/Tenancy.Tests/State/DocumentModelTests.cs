// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using CsCheck;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>Whatever calls do, the documents are as in a list in memory of which each call has a copy until it commits.</summary>
[Tier(Tier.Process)]
public sealed class DocumentModelTests(TestStores stores)
{
    private static readonly string[] Accounts = ["one", "two"];

    // The server itself has no share of its own.
    private static readonly string[] Callers = ["first", "second", ""];

    private static readonly Gen<(int Kind, int Id, int Number)[]> Steps = Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[1, 9])
        .Select((kind, id, number) => (kind, id, number))
        .Array[1, 12];

    private static readonly Gen<((int Kind, int Id, int Number)[] Steps, int Account, int Caller, bool Commits)[]> Calls = Gen.Select(
            Steps,
            Gen.Int[0, 1],
            Gen.Int[0, 2],
            Gen.Int[0, 3]
        )
        .Select((steps, account, caller, end) => (steps, account, caller, end > 0))
        .Array[1, 6];

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Documents_are_what_a_list_in_memory_would_be(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        await Calls.SampleAsync(calls => RunAsync(store, TestStore.NewTenant(), calls), iter: 250, threads: 1);
    }

    private static async Task RunAsync(
        TestStore store,
        TenantId tenant,
        ((int Kind, int Id, int Number)[] Steps, int Account, int Caller, bool Commits)[] calls
    )
    {
        List<Entry> stored = [];
        for (var i = 0; i < calls.Length; i++)
        {
            var call = new Call(store.Redis, tenant, Accounts[calls[i].Account], $"operation-{i}", Callers[calls[i].Caller], stored);
            foreach (var (kind, id, number) in calls[i].Steps)
            {
                await call.StepAsync(kind, $"{(char)('a' + id)}", number);
            }

            if (calls[i].Commits)
            {
                await call.FlushAsync();
            }

            stored = call.Stored;
            foreach (var account in Accounts)
            {
                await new Call(store.Redis, tenant, account, "reader", "", stored).CompareAsync(limit: 3);
            }

            await CompareIdsAsync(store, tenant, stored);
            await CompareSharesAsync(store, tenant, stored);
        }
    }

    // By their ids documents are found in all accounts at once, and the first account's counts.
    private static async Task CompareIdsAsync(TestStore store, TenantId tenant, List<Entry> stored)
    {
        string[] ids = ["d", "c", "b", "a"];
        var everywhere = new Documents<TestOrder>(
            new DocumentScope(
                store.Redis,
                tenant,
                null,
                "reader",
                new UnitOfWork(DocumentBudget.OfTenant(0)),
                () => { },
                new ReadableAccounts(_ => Task.FromResult<IReadOnlyList<string>>(Accounts))
            )
        );
        Assert.Equal(
            ids.Select(id =>
                    Accounts
                        .Select(account => stored.Find(entry => (entry.Account, entry.Type, entry.Id) == (account, "order", id)))
                        .FirstOrDefault(entry => entry is not null)
                )
                .OfType<Entry>()
                .Select(entry => (entry.Id, entry.Number)),
            (await everywhere.GetAllAsync(ids)).Select(order => (order.Id, order.Number))
        );
        Assert.Equal(stored.Count, await (await store.RawAsync()).SortedSetLengthAsync(new TenantKeyspace(tenant).DocumentIds));
    }

    // What each caller's documents take up is the sum of those that it created, whoever changed or deleted them.
    private static async Task CompareSharesAsync(TestStore store, TenantId tenant, List<Entry> stored)
    {
        var raw = await store.RawAsync();
        var keys = new TenantKeyspace(tenant);
        var sizes = new Dictionary<string, long>();
        foreach (var entry in stored)
        {
            var place = new DocumentPlace(
                TenantKeyspace.Hash(entry.Account),
                entry.Type == "order" ? "test_orders" : "test_deliveries",
                TenantKeyspace.Hash(entry.Id)
            );
            var size = await raw.HashStringLengthAsync(keys.Document(place), "json") + 512;
            sizes[entry.Creator] = sizes.GetValueOrDefault(entry.Creator) + size;
        }

        Assert.Equal(sizes.Values.Sum(), (long)await raw.StringGetAsync(keys.DocumentStorage));
        Assert.Equal(
            sizes.Where(share => share.Key.Length > 0).Select(share => (share.Key, share.Value)).Order(),
            (await raw.HashGetAllAsync(keys.DocumentShares)).Select(share => (share.Name.ToString(), (long)share.Value)).Order()
        );
    }

    private sealed record Entry(string Account, string Type, string Id, int Number, long Revision, string Operation, string Creator);

    private sealed class Call(RedisConnection redis, TenantId tenant, string account, string operation, string caller, List<Entry> stored)
    {
        private readonly UnitOfWork _unit = new(
            new(TenantLimits.DefaultMaxDocumentBytes, TenantLimits.DefaultMaxDocumentBytes / 2, caller)
        );
        private readonly Dictionary<string, string> _created = [];
        private List<Entry> _mine = [.. stored];

        /// <summary>What is committed.</summary>
        public List<Entry> Stored { get; private set; } = stored;

        private Documents<TestOrder> Orders => new(Scope);

        private Documents<TestDelivery> Deliveries => new(Scope);

        private DocumentScope Scope => new(redis, tenant, account, operation, _unit, () => { });

        public Task StepAsync(int kind, string id, int number) =>
            kind switch
            {
                0 => CreateAsync(id, number),
                1 or 2 => CreateWithIdAsync(id, number),
                3 => ReplaceAsync(id, number),
                4 => DeleteAsync(id),
                5 => DeliverAsync(id, number),
                6 => FlushAsync(),
                7 => ReplaceCreatedAsync(id, number),
                _ => CompareAsync(limit: number),
            };

        public async Task FlushAsync()
        {
            if (_unit.Work is { IsEmpty: false } work)
            {
                await DocumentCommit.FlushAsync(redis, new(tenant), generation: 0, work, lease: null);
            }

            (Stored, _mine) = (_mine, [.. _mine]);
        }

        public async Task CompareAsync(int limit)
        {
            Assert.Equal(Mine("order"), await ListAsync(Orders, limit, order => (order.Id, order.Number, order.Revision)));
            Assert.Equal(Mine("delivery"), await ListAsync(Deliveries, limit, it => (it.Id, it.Impressions, it.Revision)));
            foreach (var id in new[] { "a", "b", "c", "d" })
            {
                Assert.Equal(Find("order", id)?.Number, (await Orders.GetAsync(id))?.Number);
            }
        }

        private IEnumerable<(string, int, long)> Mine(string type) =>
            _mine.Where(entry => entry.Account == account && entry.Type == type).Select(entry => (entry.Id, entry.Number, entry.Revision));

        private Entry? Find(string type, string id) =>
            _mine.SingleOrDefault(entry => entry.Account == account && entry.Type == type && entry.Id == id);

        private async Task CreateAsync(string name, int number)
        {
            var order = await Orders.CreateAsync(new() { Number = number }, name);
            if (_created.TryGetValue(name, out var id))
            {
                Assert.Equal(id, order.Id);
            }

            Check(Find("order", order.Id), order.Id, number, order.Number, order.Revision, "order");
            _created[name] = order.Id;
        }

        private async Task CreateWithIdAsync(string id, int number)
        {
            var order = await Orders.CreateWithIdAsync(id, new() { Number = number });
            var known = Find("order", id);
            if (known is not null && known.Operation != operation)
            {
                Assert.Null(order);
                return;
            }

            Check(known, id, number, order!.Number, order.Revision, "order");
        }

        // It is what the call made before, or new.
        private void Check(Entry? known, string id, int number, int actual, long revision, string type)
        {
            Assert.Equal((known?.Number ?? number, known?.Revision ?? 1), (actual, revision));
            if (known is null)
            {
                _mine.Add(new(account, type, id, number, 1, operation, caller));
            }
        }

        private async Task ReplaceAsync(string id, int number)
        {
            var found = await Orders.GetAsync(id);
            var known = Find("order", id);
            Assert.Equal((known?.Number, known?.Revision), (found?.Number, found?.Revision));
            if (known is not null)
            {
                var replaced = await Orders.ReplaceAsync(found! with { Number = number });
                Assert.Equal(known.Revision + 1, replaced.Revision);
                _mine[_mine.IndexOf(known)] = known with { Number = number, Revision = known.Revision + 1 };
            }
        }

        private Task ReplaceCreatedAsync(string name, int number) =>
            _created.TryGetValue(name, out var id) ? ReplaceAsync(id, number) : Task.CompletedTask;

        private async Task DeleteAsync(string id)
        {
            var known = Find("order", id);
            Assert.Equal(known is not null, await Orders.DeleteAsync(id));
            if (known is not null)
            {
                _mine.Remove(known);
            }
        }

        private async Task DeliverAsync(string id, int number)
        {
            if (await Orders.GetAsync(id) is not { } owner)
            {
                return;
            }

            var delivery = await Deliveries.Of(owner).CreateWithIdAsync(id, new() { Impressions = number });
            var known = Find("delivery", id);
            if (known is not null && known.Operation != operation)
            {
                Assert.Null(delivery);
                return;
            }

            Check(known, id, number, delivery!.Impressions, delivery.Revision, "delivery");
        }

        private static async Task<List<(string, int, long)>> ListAsync<T>(
            Documents<T> documents,
            int limit,
            Func<T, (string, int, long)> read
        )
            where T : TenantDocument
        {
            List<(string, int, long)> all = [];
            string? cursor = null;
            do
            {
                var page = await documents.ListAsync(cursor, limit);
                all.AddRange(page.Items.Select(read));
                cursor = page.NextCursor;
            } while (cursor is not null);
            return all;
        }
    }
}
