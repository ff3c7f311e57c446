using StackExchange.Redis;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>Keys of another deployment lie under their tenant, whatever they are called, and go with it.</summary>
[Tier(Tier.Process)]
public sealed class MigratedKeysTests(TestStores stores)
{
    // What another tenant has, what all share, and what is no text.
    private static readonly RedisKey[] Names =
    [
        "order:1",
        "}:principals",
        "{other}:secret",
        "../../tenants",
        " ",
        "a\nb\0c",
        new byte[] { 0xff, 0xfe, 0x00, 0x80 },
        new byte[] { 0xff, 0xfe, 0x00, 0x81 },
    ];

    // The last two are one as texts, by which the store's keys are counted.
    private static readonly int KeysAsTexts = Names.Length - 1;

    /// <summary>Redis and, where it is asked for, a Cluster: the embedded store has no RESTORE.</summary>
    public static TheoryData<StoreKind> Servers => StoreKinds.IsFull ? [StoreKind.Redis, StoreKind.Cluster] : [StoreKind.Redis];

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_purge_takes_the_keys_that_were_brought_and_nothing_of_another(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var (raw, neighbour) = (await store.RawAsync(), TestStore.NewTenant());
        foreach (var keys in new[] { new TenantKeyspace(store.Tenant), new TenantKeyspace(neighbour) })
        {
            // More than a batch of a purge.
            foreach (var name in Names.Concat(Enumerable.Range(0, 600).Select(i => (RedisKey)$"many:{i}")))
            {
                await raw.StringSetAsync(keys.MigratedKey(name), "value");
                await raw.SortedSetAddAsync(keys.Migrated, (byte[])name!, 1);
            }
        }

        var before = await store.KeysAsync($"tenant:{{{neighbour}}}:*");
        Assert.Equal(KeysAsTexts + 601, before.Length);
        await store.MarkDeletedAsync(store.Tenant);
        Assert.True(await new TenantPurge(store.Redis).RunAsync(store.Tenant, waits: true, TestContext.Current.CancellationToken));
        Assert.Equal($"tenant:{{{store.Tenant}}}:generation", Assert.Single(await store.KeysAsync($"tenant:{{{store.Tenant}}}:*")));
        Assert.Equal(before.Order(), (await store.KeysAsync($"tenant:{{{neighbour}}}:*")).Order());
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_key_keeps_its_value_and_time_and_is_copied_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var (raw, keys) = (await store.RawAsync(), new TenantKeyspace(store.Tenant));
        var copies = await CopiesAsync(raw);
        var migrated = new MigratedKeys(store.Redis, store.Tenant, generation: 0);

        Assert.All(await migrated.CopyAsync(copies, isTrial: true), result => Assert.Equal(KeyCopyOutcome.Copied, result.Outcome));
        Assert.Empty(await store.KeysAsync($"tenant:{{{store.Tenant}}}:*"));
        Assert.All(await migrated.CopyAsync(copies, isTrial: false), result => Assert.Equal(KeyCopyOutcome.Copied, result.Outcome));
        Assert.All(await migrated.CopyAsync(copies, isTrial: false), result => Assert.Equal(KeyCopyOutcome.WasCopied, result.Outcome));

        Assert.Equal(Names.Length, await raw.SortedSetLengthAsync(keys.Migrated));
        Assert.All(Names, name => Assert.Equal(0, raw.SortedSetRank(keys.Migrated, (byte[])name!) is null ? 1 : 0));
        foreach (var name in Names)
        {
            Assert.Equal($"value of {Convert.ToHexString((byte[])name!)}", await raw.StringGetAsync(keys.MigratedKey(name)));
            Assert.InRange((await raw.KeyTimeToLiveAsync(keys.MigratedKey(name)))!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
        }

        Assert.Equal(KeysAsTexts + 1, (await store.KeysAsync($"tenant:{{{store.Tenant}}}:*")).Length);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task What_is_there_stays_and_what_the_server_does_not_take_keeps_nothing_else_back(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var (raw, keys) = (await store.RawAsync(), new TenantKeyspace(store.Tenant));
        var copies = await CopiesAsync(raw);
        var migrated = new MigratedKeys(store.Redis, store.Tenant, generation: 0);
        await migrated.CopyAsync(copies[..1], isTrial: false);
        await raw.StringSetAsync(keys.MigratedKey(Names[1]), "somebody else's");
        var (changed, broken) = (
            copies[0] with
            {
                Dump = copies[2].Dump,
            },
            copies[2] with
            {
                Dump = [.. copies[2].Dump[..^1], (byte)~copies[2].Dump[^1]],
            }
        );

        KeyCopyOutcome[] outcomes =
        [
            .. (await migrated.CopyAsync([changed, copies[1], broken, copies[3]], isTrial: false)).Select(result => result.Outcome),
        ];
        Assert.Equal([KeyCopyOutcome.IsTaken, KeyCopyOutcome.IsTaken, KeyCopyOutcome.Refused, KeyCopyOutcome.Copied], outcomes);
        Assert.Equal("somebody else's", await raw.StringGetAsync(keys.MigratedKey(Names[1])));
        Assert.False(await raw.KeyExistsAsync(keys.MigratedKey(Names[2])));
        Assert.Null(await raw.SortedSetScoreAsync(keys.Migrated, (byte[])Names[2]!));
        Assert.Equal(KeyCopyOutcome.Copied, Assert.Single(await migrated.CopyAsync([copies[2]], isTrial: false)).Outcome);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Nothing_is_brought_to_a_later_tenant_with_the_id(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var raw = await store.RawAsync();
        await raw.StringSetAsync(new TenantKeyspace(store.Tenant).Generation, 8);
        var copies = await CopiesAsync(raw);
        foreach (var isTrial in new[] { true, false })
        {
            var exception = await Assert.ThrowsAsync<StoreUnavailableException>(() =>
                new MigratedKeys(store.Redis, store.Tenant, generation: 7).CopyAsync(copies, isTrial)
            );
            Assert.IsType<GenerationEndedException>(exception.InnerException);
        }

        Assert.Single(await store.KeysAsync($"tenant:{{{store.Tenant}}}:*"));
    }

    private static async Task<KeyCopy[]> CopiesAsync(IDatabase raw)
    {
        var copies = new List<KeyCopy>();
        foreach (var name in Names)
        {
            RedisKey source = $"source:{Guid.NewGuid()}";
            await raw.StringSetAsync(source, $"value of {Convert.ToHexString((byte[])name!)}");
            copies.Add(new(name, (long)TimeSpan.FromHours(1).TotalMilliseconds, (await raw.KeyDumpAsync(source))!));
            await raw.KeyDeleteAsync(source);
        }

        return [.. copies];
    }
}
