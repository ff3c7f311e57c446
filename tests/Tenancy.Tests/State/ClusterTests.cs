using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What only a Redis Cluster shows; with it, all theories over <see cref="StoreKinds"/> run on one too.</summary>
public sealed class ClusterTests(TestStores stores)
{
    [Fact]
    public async Task Tenants_are_spread_over_the_masters_and_each_lies_whole_on_one()
    {
        Assert.SkipUnless(StoreKinds.IsFull, "A Redis Cluster is started only where TENANCY_FULL=1: without it, the store is tested on single servers.");
        await using var store = await stores.GetAsync(StoreKind.Cluster);
        var servers = (await store.RawAsync()).Multiplexer.GetServers();
        var masters = servers.Where(server => !server.IsReplica).ToArray();
        Assert.Equal((6, 3), (servers.Length, masters.Length));

        var tenants = Enumerable.Range(0, 30).Select(_ => TestStore.NewTenant()).ToArray();
        foreach (var tenant in tenants)
        {
            await new SessionStore(store.Redis, tenant).CreateAsync("session", "caller");
            await new IdempotencyStore(store.Redis, tenant, new()).ClaimAsync(new("caller", null, "key-0123456789abcdef", "tool", "hash"), TimeSpan.FromSeconds(30));
        }

        var placesOf = tenants.ToDictionary(tenant => tenant, _ => new HashSet<int>());
        for (var i = 0; i < masters.Length; i++)
        {
            await foreach (var key in masters[i].KeysAsync().WithCancellation(TestContext.Current.CancellationToken))
            {
                if (tenants.Cast<Tenancy.Configuration.TenantId?>().FirstOrDefault(tenant => key.ToString().StartsWith($"tenant:{{{tenant}}}:", StringComparison.Ordinal)) is { } owner)
                {
                    placesOf[owner].Add(i);
                }
            }
        }

        Assert.All(placesOf.Values, places => Assert.Single(places));
        Assert.Equal(3, placesOf.Values.SelectMany(places => places).Distinct().Count());
    }
}
