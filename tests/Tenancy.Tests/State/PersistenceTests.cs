using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>With a real Redis, what was acknowledged survives.</summary>
[Tier(Tier.Process)]
public sealed class PersistenceTests
{
    [Fact]
    public async Task Tenants_tokens_and_media_buys_survive_a_restart_of_server_and_store()
    {
        await using var redis = await RedisServer.StartAsync();
        string id,
            token;
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            using var created = await server.AdminAsync(
                HttpMethod.Post,
                "",
                new
                {
                    id = "initech",
                    urls = new[] { "https://ads.initech.example" },
                    principals = new[] { new { name = "Buyer" } },
                }
            );
            token = (await McpCalls.ReadAsync(created))["principals"]![0]!["token"]!.ToString();
            id = (await server.CallAsync("initech", token, "create_media_buy", McpCalls.CreateBuy(42)))["structuredContent"]![
                "media_buy_id"
            ]!.ToString();
        }

        await redis.RestartAsync();
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            var buy = (await server.CallAsync("initech", token, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray().Single()!;
            Assert.Equal(id, buy["media_buy_id"]!.ToString());
            Assert.Equal(42, (int)buy["total_budget"]!);
        }
    }

    [Fact]
    public async Task A_store_that_has_tenants_is_not_seeded()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            using var deleted = await server.AdminAsync(HttpMethod.Delete, "/globex");
        }

        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            using var list = await server.AdminAsync(HttpMethod.Get, "");
            Assert.Equal(["acme"], (await McpCalls.ReadAsync(list))["tenants"]!.AsArray().Select(tenant => tenant!["id"]!.ToString()));
        }
    }

    [Fact]
    public async Task While_the_store_is_away_at_start_tenants_are_503_and_come_when_it_does()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.StopAsync();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var server = await TenancyServer.StartAsync(redis: redis, services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<TimeProvider>(services, time)
        );
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, await StatusAsync("acme"));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, await StatusAsync("nobody"));

        await redis.LaunchAsync();
        await Poll.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return await StatusAsync("acme") == System.Net.HttpStatusCode.OK;
        });
        Assert.Equal(System.Net.HttpStatusCode.NotFound, await StatusAsync("nobody"));

        async Task<System.Net.HttpStatusCode> StatusAsync(string tenant)
        {
            using var request = McpCalls.Post(server.Port, Way.Path, tenant, null, McpCalls.Call("get_products"));
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return response.StatusCode;
        }
    }
}
