using System.Diagnostics;
using StackExchange.Redis;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What only a Redis Cluster shows; with it, all theories over <see cref="StoreKinds"/> run on one too.</summary>
[Tier(Tier.Process)]
public sealed class ClusterTests(TestStores stores)
{
    [Fact]
    public async Task Tenants_are_spread_over_the_masters_and_each_lies_whole_on_one()
    {
        SkipUnlessFull();
        await using var store = await stores.GetAsync(StoreKind.Cluster);
        var servers = (await store.RawAsync()).Multiplexer.GetServers();
        var masters = servers.Where(server => !server.IsReplica).ToArray();
        Assert.Equal((6, 3), (servers.Length, masters.Length));

        var tenants = Enumerable.Range(0, 30).Select(_ => TestStore.NewTenant()).ToArray();
        foreach (var tenant in tenants)
        {
            await new SessionStore(store.Redis, tenant, generation: 0).BeginAsync("session", new("epoch", "caller"));
            await new IdempotencyStore(store.Redis, tenant, generation: 0, new()).ClaimAsync(
                new("caller", null, "key-0123456789abcdef", "tool", "hash"),
                TimeSpan.FromSeconds(30)
            );
        }

        var placesOf = tenants.ToDictionary(tenant => tenant, _ => new HashSet<int>());
        for (var i = 0; i < masters.Length; i++)
        {
            await foreach (var key in masters[i].KeysAsync().WithCancellation(TestContext.Current.CancellationToken))
            {
                if (
                    tenants
                        .Cast<Tenancy.Configuration.TenantId?>()
                        .FirstOrDefault(tenant => key.ToString().StartsWith($"tenant:{{{tenant}}}:", StringComparison.Ordinal)) is
                    { } owner
                )
                {
                    placesOf[owner].Add(i);
                }
            }
        }

        Assert.All(placesOf.Values, places => Assert.Single(places));
        Assert.Equal(3, placesOf.Values.SelectMany(places => places).Distinct().Count());
    }

    [Fact]
    public async Task A_master_that_dies_is_replaced_and_disturbs_only_its_own_tenants()
    {
        SkipUnlessFull();
        await using var cluster = await RedisCluster.StartAsync();
        await using var store = new TestStore(ConfigurationOptions.Parse(cluster.ConnectionString), TimeProvider.System)
        {
            IsPatient = false,
        };
        var multiplexer = (await store.RawAsync()).Multiplexer;
        var tenants = Enumerable
            .Range(0, 30)
            .Select(_ => TestStore.NewTenant())
            .ToLookup(tenant => $"{multiplexer.GetDatabase().IdentifyEndpoint(new TenantKeyspace(tenant).Sessions)}");
        var dying = tenants.First().Key;
        var victim = new SessionStore(store.Redis, tenants[dying].First(), generation: 0);
        var others = tenants
            .Where(group => group.Key != dying)
            .SelectMany(group => group)
            .Select(tenant => new SessionStore(store.Redis, tenant, generation: 0))
            .ToArray();
        await Task.WhenAll([
            victim.BeginAsync("s", new("epoch", "me")),
            .. others.Select(other => other.BeginAsync("s", new("epoch", "me"))),
        ]);
        await cluster.KillAsync(dying);

        for (var watch = Stopwatch.StartNew(); ; )
        {
            Assert.All(await Task.WhenAll(others.Select(other => other.TouchAsync("s", new("epoch", "me")))), Assert.True);
            try
            {
                await victim.BeginAsync("after", new("epoch", "me"));
                TestContext.Current.TestOutputHelper?.WriteLine($"Its replica had taken over after {watch.ElapsedMilliseconds} ms.");
                return;
            }
            catch (StoreUnavailableException) when (watch.Elapsed < TimeSpan.FromSeconds(20))
            {
                // It is other processes that are waited for.
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    private static void SkipUnlessFull() =>
        Assert.SkipUnless(
            StoreKinds.IsFull,
            "A Redis Cluster is started only where TENANCY_FULL=1: without it, the store is tested on single servers."
        );
}
