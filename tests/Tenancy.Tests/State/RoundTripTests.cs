// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Tier(Tier.Process)]
public sealed class RoundTripTests(TestStores stores)
{
    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Each_operation_is_one_command(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind);
        var redis = store.Connect(profiler: () => session);
        var sessions = new SessionStore(redis, store.Tenant, generation: 0);
        var limiter = new TestLimiter(redis, TimeProvider.System, store.Tenant);
        var keys = new IdempotencyStore(redis, store.Tenant, generation: 0, new());
        var principals = new PrincipalStore(redis, store.Tenant, generation: 0);
        var clients = new ClientStore(redis, store.Tenant, generation: 0);
        var unit = new UnitOfWork(DocumentBudget.OfTenant(TenantLimits.DefaultMaxDocumentBytes));
        var documents = new Documents<TestOrder>(new DocumentScope(redis, store.Tenant, "account", "operation", unit, () => { }));
        Func<Task> commit = () => DocumentCommit.FlushAsync(redis, new(store.Tenant), generation: 0, unit.Work!, lease: null);
        TestOrder order = null!;
        IdempotencyLease lease = null!;
        (string Name, Func<Task> RunAsync)[] operations =
        [
            ("session reserve", () => sessions.ReserveAsync(new("epoch", "me"), 10, 10)),
            ("session create", () => sessions.CreateAsync("s", new("epoch", "me"), "place")),
            ("session touch", () => sessions.TouchAsync("s", new("epoch", "me"))),
            ("session delete", () => sessions.DeleteAsync("s", new("epoch", "me"))),
            ("rate limit", () => limiter.AcquireAsync(RateLimit.Tenant(100), RateLimit.Caller("me", 100)).AsTask()),
            ("rate limit and touch", () =>
                limiter.AcquireAndTouchAsync("s", new("epoch", "me"), RateLimit.Tenant(100), RateLimit.Caller("me", 100)).AsTask()
            ),
            ("claim", async () =>
                lease = (
                    (IdempotencyClaim.Claimed)
                        await keys.ClaimAsync(new("me", "account", Guid.NewGuid().ToString("N"), "tool", "hash"), TimeSpan.FromSeconds(30))
                ).Lease
            ),
            ("complete", () => keys.CompleteAsync(lease, "done"u8.ToArray())),
            ("release", () => keys.ReleaseAsync(lease)),
            ("document create", async () => order = (await documents.CreateWithIdAsync(Guid.NewGuid().ToString("N"), new()))!),
            ("document create for an owner", () => documents.Of(order).CreateWithIdAsync(Guid.NewGuid().ToString("N"), new())),
            ("commit of two", commit),
            ("document get", () => documents.GetAsync(order.Id)),
            ("document delete", () => documents.DeleteAsync(order.Id)),
            ("commit of a deletion", commit),
            ("client create", () => clients.CreateAsync(new("client", "issuer"), TimeSpan.FromDays(1), 10)),
            ("client use", () => clients.UseAsync("issuer", "client")),
            ("client delete", () => clients.DeleteAsync(TenantKeyspace.Hash("issuer", "client"))),
            ("principal find", () => principals.FindAsync("token")),
        ];

        // The first round teaches the server the scripts.
        foreach (var operation in operations)
        {
            await operation.RunAsync();
        }

        foreach (var operation in operations)
        {
            session = new();
            await operation.RunAsync();
            var commands = session.FinishProfiling().Select(command => command.Command).ToArray();
            Assert.True(commands.Length == 1, $"{operation.Name}: {string.Join(", ", commands)}");
        }
    }

    [Fact]
    public async Task A_server_without_the_scripts_gets_them_and_each_operation_is_one_command_again()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var redis = await RedisServer.StartAsync();
        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString + ",allowAdmin=true"), time);
        var server = (await store.RawAsync()).Multiplexer.GetServers().Single();
        ProfilingSession? session = null;
        var limiter = new TestLimiter(store.Connect(profiler: () => session), TimeProvider.System, store.Tenant);
        for (var i = 0; i < 3; i++)
        {
            // Counted where the script is, not by this node for itself, and once.
            Assert.Equal(9 - (2 * i), (await limiter.AcquireAsync(RateLimit.Tenant(10))).Remaining);
            session = new();
            await limiter.AcquireAsync(RateLimit.Tenant(10));
            Assert.Equal("EVALSHA", Assert.Single(session.FinishProfiling()).Command);
            session = null;
            await server.ScriptFlushAsync();

            // Less than a request's share; both clocks together are exact to milliseconds only.
            time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_page_of_documents_is_the_index_and_then_its_documents(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind);
        var redis = store.Connect(profiler: () => session);
        var documents = new CommittedDocuments<TestOrder>(redis, store.Tenant, "account", "operation");
        for (var i = 0; i < 20; i++)
        {
            await documents.CreateWithIdAsync($"{i}", new());
        }

        session = new();
        await documents.ListAsync();
        var commands = session.FinishProfiling().ToArray();
        Assert.Equal(21, commands.Length);
        Assert.Single(commands, command => command.Command == "ZRANGEBYLEX");
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Many_ids_are_read_once_each_and_a_few_at_a_time(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind);
        var redis = store.Connect(profiler: () => session);
        var documents = new CommittedDocuments<TestOrder>(redis, store.Tenant, "account", "operation");
        string[] ids = [.. Enumerable.Range(0, 100).Select(i => $"{i}")];
        foreach (var id in ids.Take(70))
        {
            await documents.CreateWithIdAsync(id, new() { Text = id });
        }

        session = new();
        var found = await documents.GetAllAsync([.. ids, .. ids, .. Enumerable.Repeat("0", 1000)]);

        Assert.Equal(ids.Take(70), found.Select(document => document.Text));
        AssertReads(100, session);

        // A caller's many accounts are read like many ids.
        var everywhere = new Documents<TestOrder>(
            new DocumentScope(
                redis,
                store.Tenant,
                null,
                "operation",
                new UnitOfWork(DocumentBudget.OfTenant(0)),
                () => { },
                new ReadableAccounts(_ => Task.FromResult<IReadOnlyList<string>>([.. ids, "account"]))
            )
        );

        // The first teaches the server the script.
        await everywhere.GetAsync("0");
        session = new();
        Assert.Equal("0", (await everywhere.GetAsync("0"))!.Text);
        Assert.Equal(2, session.FinishProfiling().Count());

        session = new();
        Assert.Equal(70, (await everywhere.GetAllAsync(ids)).Count);
        Assert.Equal(71, session.FinishProfiling().Count());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_caller_of_a_thousand_accounts_that_names_a_hundred_ids_costs_one_look_at_the_index(StoreKind kind)
    {
        ProfilingSession? session = null;
        await using var store = await stores.GetAsync(kind);
        var redis = store.Connect(profiler: () => session);
        string[] accounts = [.. Enumerable.Range(0, 1000).Select(i => $"account-{i}")];
        await new CommittedDocuments<TestOrder>(redis, store.Tenant, accounts[^1], "operation").CreateWithIdAsync("there", new());
        var everywhere = new Documents<TestOrder>(
            new DocumentScope(
                redis,
                store.Tenant,
                null,
                "operation",
                new UnitOfWork(DocumentBudget.OfTenant(0)),
                () => { },
                new ReadableAccounts(_ => Task.FromResult<IReadOnlyList<string>>(accounts))
            )
        );
        await everywhere.GetAllAsync(["made up"]);
        session = new();
        Assert.Empty(await everywhere.GetAllAsync(Enumerable.Range(0, 100).Select(i => $"made up {i}")));
        Assert.Single(session.FinishProfiling());

        // A page goes through them a few hundred at a time.
        await everywhere.ListAsync();
        session = new();
        Assert.Single((await everywhere.ListAsync()).Items);
        Assert.Equal(6, session.FinishProfiling().Count());
    }

    private static void AssertReads(int expected, ProfilingSession session)
    {
        var reads = session.FinishProfiling().OrderBy(command => command.CommandCreated).ToArray();
        Assert.Equal(expected, reads.Length);
        Assert.InRange(
            reads.Max(read =>
                reads.Count(other =>
                    other.CommandCreated <= read.CommandCreated && other.CommandCreated + other.ElapsedTime >= read.CommandCreated
                )
            ),
            2,
            32
        );
    }
}
