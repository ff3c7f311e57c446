using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>Tenants change while their buyers, and those of others, go on calling.</summary>
[Tier(Tier.Server)]
public sealed class TrafficTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_call_fails_or_sees_half_of_a_change_while_tenants_change()
    {
        await using var server = await TenancyServer.StartAsync();
        using var stop = new CancellationTokenSource();
        var traffic = new[]
        {
            CallAsync(server, "acme", McpCalls.Acme, ["acme-banner", "acme-poster"], stop.Token),
            CallAsync(server, "acme", McpCalls.Acme, ["acme-banner", "acme-poster"], stop.Token),
            CallAsync(server, "globex", McpCalls.Globex, ["globex-shelf"], stop.Token),
            CallAsync(server, "globex", McpCalls.Globex, ["globex-shelf"], stop.Token),
        };
        for (var round = 0; round < 10; round++)
        {
            await ChangeAsync(
                server,
                "acme",
                $$$"""{"settings":{"product":"{{{(round % 2 == 0 ? "acme-poster" : "acme-banner")}}}"},"name":"Round {{{round}}}"}"""
            );
            await ChangeAsync(
                server,
                "acme",
                $$$"""{"urls":["https://acme.example.com"{{{(round % 2 == 0 ? ",\"https://more.example\"" : "")}}}]"""
                    + $$$""","limits":{"maxSessions":{{{round + 1}}}}}"""
            );
            using var created = await server.AdminAsync(
                HttpMethod.Post,
                "",
                """{"id":"initech","urls":["https://ads.initech.example"],"principals":[{"name":"n"}]}"""
            );
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            using var rechecked = await server.AdminAsync(HttpMethod.Post, "/globex/recheck");
            using var broken = await server.AdminAsync(HttpMethod.Patch, "/initech?force=true", """{"settings":{"fail":"broken"}}""");
            using var deleted = await server.AdminAsync(HttpMethod.Delete, "/initech");
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(traffic), calls => Assert.True(calls > 10, $"only {calls} calls"));
    }

    private static async Task ChangeAsync(TenancyServer server, string tenant, string patch)
    {
        using var response = await server.AdminAsync(HttpMethod.Patch, "/" + tenant, patch);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task<int> CallAsync(TenancyServer server, string tenant, string token, string[] products, CancellationToken stop)
    {
        var calls = 0;
        for (; !stop.IsCancellationRequested; calls++)
        {
            var generation = calls % 2 == 0 ? Generation.Stateless : (Generation?)null;
            var product = (await server.CallAsync(tenant, token, "get_products", way: (Way)(calls % 3), generation: generation))[
                "structuredContent"
            ]!["products"]![0]!["product_id"]!.ToString();
            Assert.Contains(product, products);
        }

        return calls;
    }
}
