using StackExchange.Redis;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.CommandLine;

/// <summary>The same from a single Redis to a Cluster, and within one: keys and their copies lie in different slots.</summary>
[Tier(Tier.Process)]
public sealed class MigrateClusterTests
{
    private const int Count = 300;

    [Fact]
    public async Task Keys_come_from_all_masters_and_each_goes_to_that_of_its_tenant()
    {
        Assert.SkipUnless(
            StoreKinds.IsFull,
            "A Redis Cluster is started only where TENANCY_FULL=1: without it, single servers are migrated to."
        );
        await using var cluster = await RedisCluster.StartAsync();
        await using var single = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["ConnectionStrings:Redis"] = cluster.ConnectionString + RedisServer.Patience,
            }
        );
        await using var store = await ConnectionMultiplexer.ConnectAsync(cluster.ConnectionString);
        await using var source = await ConnectionMultiplexer.ConnectAsync(single.ConnectionString);
        await FillAsync(store.GetDatabase(), "of the cluster");
        await FillAsync(source.GetDatabase(), "of the single one");

        await MigrateAsync(cluster.ConnectionString, ["migrate"], copied: Count);
        await MigrateAsync(cluster.ConnectionString, ["migrate"], copied: 0);
        await MigrateAsync(single.ConnectionString, ["migrate", "--tenant", "acme", "--pattern", "tenant:acme:*"], copied: Count / 3);

        foreach (var tenant in Tenants)
        {
            for (var i = 0; i < Count / 3; i++)
            {
                Assert.Equal("of the cluster", await store.GetDatabase().StringGetAsync($"tenant:{{{tenant}}}:migrated:order:{i}"));
            }

            Assert.Equal(
                Count / 3 * (tenant == "acme" ? 2 : 1),
                await store.GetDatabase().SortedSetLengthAsync($"tenant:{{{tenant}}}:migrated")
            );
        }

        Assert.Equal("of the single one", await store.GetDatabase().StringGetAsync("tenant:{acme}:migrated:tenant:acme:order:0"));

        async Task MigrateAsync(string from, string[] command, int copied)
        {
            var (code, shown) = await ToolRun.RunAsync(command, name => name switch
                {
                    "TENANCY_SERVER" => $"http://127.0.0.1:{server.Port}",
                    "TENANCY_ADMIN_KEY" => TenancyServer.AdminKey,
                    "ConnectionStrings__Redis" => cluster.ConnectionString,
                    "TENANCY_SOURCE_REDIS" => from,
                    _ => null,
                });
            Assert.True(code == 0, shown);
            Assert.Contains(
                copied == 0 ? $"{Count + 1} were here before" : $"{copied} copied as they are",
                shown,
                StringComparison.Ordinal
            );
        }
    }

    private static string[] Tenants => ["acme", "globex", "initech"];

    private static async Task FillAsync(IDatabase database, string value)
    {
        await database.StringSetAsync("tenant:metadata:initech", """{ "id": "initech" }""");
        foreach (var tenant in Tenants)
        {
            await Task.WhenAll(Enumerable.Range(0, Count / 3).Select(i => database.StringSetAsync($"tenant:{tenant}:order:{i}", value)));
        }
    }
}
