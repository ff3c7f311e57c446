using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What callers of a whole server get while its store is away, however it went, and that all is well when it is back.</summary>
public sealed class StoreAwayServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("stopped")]
    [InlineData("stalled")]
    public async Task What_needs_no_store_is_served_and_the_rest_is_503_until_it_is_back(string how)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        var bought = (await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy()))["structuredContent"]!["media_buy_id"]!.ToString();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await (how == "stopped" ? redis.StopAsync() : redis.PauseAsync());

        // The first call finds out; the token that was seen a second ago is forgotten meanwhile.
        await Poll.UntilAsync(async () => await StatusAsync(McpCalls.Acme) == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(null));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(McpCalls.Acme, session: session));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(McpCalls.Acme, "create_media_buy"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(null, tenant: "nobody"));
        using (var initialize = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize()))
        using (var refused = await server.Client.SendAsync(initialize, Token))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.False(refused.Headers.Contains("Mcp-Session-Id"));
        }

        await (how == "stopped" ? redis.LaunchAsync() : redis.ResumeAsync());
        await Poll.UntilAsync(async () => await StatusAsync(McpCalls.Acme) == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(McpCalls.Acme, session: session));
        Assert.Equal(bought, (await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray().Single()!["media_buy_id"]!.ToString());

        async Task<HttpStatusCode> StatusAsync(string? token, string tool = "get_products", string? session = null, string tenant = "acme")
        {
            using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call(tool, tool == "create_media_buy" ? McpCalls.CreateBuy() : null), session is null ? null : Generation.Sessions, session);
            using var response = await server.Client.SendAsync(request, Token);
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                Assert.NotNull(response.Headers.RetryAfter);
                Assert.Equal(-32027, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
            }

            return response.StatusCode;
        }
    }

    [Fact]
    public async Task While_a_tenant_without_authentication_has_no_store_its_writes_are_503_and_its_documents_fail_by_the_protocol()
    {
        await using var redis = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" };
        await using var server = await TenancyServer.StartAsync(settings: settings, redis: redis);
        await redis.StopAsync();
        foreach (var way in Enum.GetValues<Generation>())
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", null, McpCalls.Call("create_media_buy", McpCalls.CreateBuy()), way);
            using var refused = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.Equal("SERVICE_UNAVAILABLE", (await McpCalls.ReadAsync(refused))["error"]!["data"]!["adcp_error"]!["code"]!.ToString());
        }

        var error = (await server.CallAsync("acme", null, "get_media_buys"))["structuredContent"]!["adcp_error"]!;
        Assert.Equal("SERVICE_UNAVAILABLE", error["code"]!.ToString());
        Assert.Equal(2, (int)error["retry_after"]!);
    }
}
