// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using CsCheck;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Tier(Tier.Process)]
public sealed class KeyPropertyTests
{
    private static readonly Gen<(string One, string Other)> TwoTexts = Gen.Select(HostileText.Gen, HostileText.Gen)
        .Where((one, other) => !one.Equals(other, StringComparison.Ordinal));

    [Fact]
    public void Two_texts_never_meet_in_one_key() =>
        TwoTexts.Sample((one, other) => TenantKeyspace.Hash(one) != TenantKeyspace.Hash(other), iter: 20_000);

    [Fact]
    public void Texts_that_differ_in_half_a_surrogate_pair_never_meet_in_one_key()
    {
        string[] texts = ["x\ud83d", "x\ud83e", "x\ude02", "x\ufffd", "x\ud83d\ude02", "x"];
        Assert.Equal(texts.Length, texts.Select(TenantKeyspace.Hash).Distinct().Count());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Half_a_surrogate_pair_costs_nobody_the_connection(StoreKind kind)
    {
        await using var stores = new TestStores();
        await using var store = await stores.GetAsync(kind);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var neighbours = Enumerable
            .Range(0, 200)
            .Select(i => new SessionStore(store.Redis, TestStore.NewTenant(), generation: 0).BeginAsync($"{i}", new("epoch", "caller")));
        var caller = new string('x', 10_000) + "\ud83d";
        await Task.WhenAll([.. neighbours, sessions.BeginAsync("session", new("epoch", caller))]);
        Assert.True(await sessions.TouchAsync("session", new("epoch", caller)));
        Assert.False(await sessions.TouchAsync("session", new("epoch", caller[..^1] + "\ud83e")));
        Assert.False(await sessions.TouchAsync("session", new("epoch", caller[..^1] + "\ufffd")));
    }

    [Fact]
    public void Lists_of_texts_never_meet_whatever_ends_where() =>
        Gen.Select(HostileText.Gen.Array[1, 4], HostileText.Gen.Array[1, 4])
            .Where((one, other) => !one.SequenceEqual(other, StringComparer.Ordinal))
            .Sample((one, other) => !TenantKeyspace.Frame(one).SequenceEqual(TenantKeyspace.Frame(other)), iter: 20_000);

    [Fact]
    public void A_list_is_not_the_text_that_it_joins_to() =>
        HostileText.Gen.Sample(text =>
            !TenantKeyspace.Frame(text, "").SequenceEqual(TenantKeyspace.Frame(text))
            && !TenantKeyspace.Frame(text, null).SequenceEqual(TenantKeyspace.Frame(text, ""))
            && !TenantKeyspace.Frame(text + "x", "y").SequenceEqual(TenantKeyspace.Frame(text, "xy"))
        );

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Whatever_comes_from_outside_stays_with_its_tenant(StoreKind kind)
    {
        // A store of its own, so that every key in it is looked at.
        await using var stores = new TestStores();
        await using var store = await stores.GetAsync(kind);
        var tenants = new List<TenantId>();
        await Gen.Select(HostileText.Gen, HostileText.Gen, HostileText.Gen, HostileText.Gen)
            .SampleAsync(
                async (id, caller, account, name) =>
                {
                    var (mine, theirs) = (TestStore.NewTenant(), TestStore.NewTenant());
                    await WriteAsync(store.Redis, mine, id, caller, account, name);
                    await ReadNothingAsync(store.Redis, theirs, id, caller, account, name);
                    await ReadAllAsync(store.Redis, mine, id, caller, account, name);
                    tenants.AddRange([mine, theirs]);
                },
                iter: 60,
                threads: 1
            );
        await KeysAreOfAsync(store, tenants);
    }

    private static async Task WriteAsync(RedisConnection redis, TenantId tenant, string id, string caller, string account, string name)
    {
        await new SessionStore(redis, tenant, generation: 0).BeginAsync(id, new("epoch", caller));
        await new PrincipalStore(redis, tenant, generation: 0).CreateAsync(new() { Name = name, Token = id }, DateTimeOffset.UtcNow);
        await new ClientStore(redis, tenant, generation: 0).CreateAsync(new(id, account), TimeSpan.FromDays(1), 10);
        await new TestLimiter(redis, TimeProvider.System, tenant).AcquireAsync(
            RateLimit.Tenant(10),
            RateLimit.Caller(caller, 1),
            RateLimit.Anonymous(id, 1)
        );
        await new IdempotencyStore(redis, tenant, generation: 0, new()).ClaimAsync(
            Request(id, caller, account, name),
            TimeSpan.FromSeconds(30)
        );
        if (id.Length > 0)
        {
            await Documents(redis, tenant, account).CreateWithIdAsync(id, new() { Text = "mine" });
        }

        await Documents(redis, tenant, account).CreateAsync(new() { Text = "mine" }, name);
    }

    private static async Task ReadNothingAsync(
        RedisConnection redis,
        TenantId tenant,
        string id,
        string caller,
        string account,
        string name
    )
    {
        Assert.False(await new SessionStore(redis, tenant, generation: 0).TouchAsync(id, new("epoch", caller)));
        Assert.False(await new SessionStore(redis, tenant, generation: 0).DeleteAsync(id, new("epoch", caller)));
        Assert.Null(await new PrincipalStore(redis, tenant, generation: 0).FindAsync(id));
        Assert.Null(await new ClientStore(redis, tenant, generation: 0).UseAsync(account, id));
        Assert.False(await new ClientStore(redis, tenant, generation: 0).DeleteAsync(TenantKeyspace.Hash(account, id)));
        Assert.Empty((await new ClientStore(redis, tenant, generation: 0).ListAsync(cursor: null, take: 10)).Clients);
        Assert.True(
            (
                await new TestLimiter(redis, TimeProvider.System, tenant).AcquireAsync(
                    RateLimit.Caller(caller, 1),
                    RateLimit.Anonymous(id, 1)
                )
            ).IsAllowed
        );
        Assert.IsType<IdempotencyClaim.Claimed>(
            await new IdempotencyStore(redis, tenant, generation: 0, new()).ClaimAsync(
                Request(id, caller, account, name),
                TimeSpan.FromSeconds(30)
            )
        );
        Assert.Null(await Documents(redis, tenant, account).GetAsync(id));
        Assert.False(await Documents(redis, tenant, account).DeleteAsync(id));
        Assert.Empty((await Documents(redis, tenant, account).ListAsync(cursor: id)).Items);
    }

    private static async Task ReadAllAsync(RedisConnection redis, TenantId tenant, string id, string caller, string account, string name)
    {
        Assert.True(await new SessionStore(redis, tenant, generation: 0).TouchAsync(id, new("epoch", caller)));
        Assert.False(await new SessionStore(redis, tenant, generation: 0).TouchAsync(id, new("epoch", caller + "x")));
        Assert.Equal(
            name.EnumerateRunes().Select(rune => rune.ToString()),
            (await new PrincipalStore(redis, tenant, generation: 0).FindAsync(id))!.Name.EnumerateRunes().Select(rune => rune.ToString())
        );
        Assert.NotNull(await new ClientStore(redis, tenant, generation: 0).UseAsync(account, id));
        Assert.Null(await new ClientStore(redis, tenant, generation: 0).UseAsync(account, id + "x"));
        Assert.Null(await new ClientStore(redis, tenant, generation: 0).UseAsync(account + "x", id));
        Assert.False((await new TestLimiter(redis, TimeProvider.System, tenant).AcquireAsync(RateLimit.Caller(caller, 1))).IsAllowed);
        Assert.IsType<IdempotencyClaim.InFlight>(
            await new IdempotencyStore(redis, tenant, generation: 0, new()).ClaimAsync(
                Request(id, caller, account, name),
                TimeSpan.FromSeconds(30)
            )
        );
        Assert.Equal(id.Length > 0 ? 2 : 1, (await Documents(redis, tenant, account).ListAsync(cursor: id)).Items.Count);
        Assert.Empty((await Documents(redis, tenant, account + "x").ListAsync()).Items);
        Assert.Null(await Documents(redis, tenant, account + "x").GetAsync(id));
    }

    private static async Task KeysAreOfAsync(TestStore store, IReadOnlyList<TenantId> tenants)
    {
        var multiplexer = (await store.RawAsync()).Multiplexer;
        var keys = await store.KeysAsync();
        Assert.NotEmpty(keys);
        foreach (var key in keys)
        {
            var tenant = Assert.Single(tenants, tenant => key.StartsWith($"tenant:{{{tenant}}}:", StringComparison.Ordinal));
            Assert.Equal(multiplexer.HashSlot(tenant.Value), multiplexer.HashSlot(key));
            Assert.All(key[$"tenant:{{{tenant}}}:".Length..], c =>
                Assert.True(char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_', key)
            );
        }
    }

    private static IdempotentRequest Request(string key, string caller, string account, string tool) =>
        new(caller, account, key, tool, "hash");

    private static CommittedDocuments<TestOrder> Documents(RedisConnection redis, TenantId tenant, string account) =>
        new(redis, tenant, account, "operation");
}
