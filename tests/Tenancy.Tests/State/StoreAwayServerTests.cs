using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What callers of a whole server get while its store is away, however it went, and that all is well when it is back.</summary>
[Tier(Tier.Process)]
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
        var bought = (await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy()))["structuredContent"]![
            "media_buy_id"
        ]!.ToString();
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
        Assert.Equal(
            bought,
            (await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray().Single()![
                "media_buy_id"
            ]!.ToString()
        );

        async Task<HttpStatusCode> StatusAsync(string? token, string tool = "get_products", string? session = null, string tenant = "acme")
        {
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                tenant,
                token,
                McpCalls.Call(tool, tool == "create_media_buy" ? McpCalls.CreateBuy() : null),
                session is null ? null : Generation.Sessions,
                session
            );
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
    public async Task While_the_store_is_away_writes_and_documents_are_503_whoever_calls_and_however()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(settings: Open, redis: redis);
        await redis.StopAsync();
        foreach (var generation in Enum.GetValues<Generation>())
        {
            foreach (var accept in new[] { "application/json, text/event-stream", "application/json" })
            {
                await AssertUnavailableAsync(server, "create_media_buy", McpCalls.CreateBuy(), generation, accept);
                await AssertUnavailableAsync(server, "get_media_buys", null, generation, accept);
            }
        }

        Assert.Equal("acme|anonymous|anonymous", (await server.CallAsync("acme", null, "whoami"))["content"]![0]!["text"]!.ToString());
    }

    [Fact]
    public async Task A_malformed_write_is_told_so_although_the_store_is_away()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(settings: Open, redis: redis);
        await redis.StopAsync();
        var answer = await server.CallAsync("acme", null, "create_media_buy", []);
        Assert.Equal("INVALID_REQUEST", answer["structuredContent"]!["adcp_error"]!["code"]!.ToString());
    }

    [Theory]
    [InlineData(Generation.Sessions, false)]
    [InlineData(Generation.Sessions, true)]
    [InlineData(Generation.Stateless, false)]
    [InlineData(Generation.Stateless, true)]
    public async Task A_store_that_goes_while_a_handler_runs_is_503_too_unless_the_answer_has_begun(Generation generation, bool hasBegun)
    {
        using var gate = new SlowTools.Gate();
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(settings: Open, redis: redis, services: services =>
        {
            services.AddSingleton(gate);
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()));
        });
        var arguments = new JsonObject { ["reports"] = hasBegun };
        var call = JsonNode.Parse(McpCalls.Call("late", arguments, generation))!;
        (call["params"]!["_meta"] ??= new JsonObject())["progressToken"] = "p";
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", null, call.ToJsonString(), generation);
        var answering = server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await gate.WaitForAsync(1);
        if (hasBegun)
        {
            Assert.Equal(HttpStatusCode.OK, (await answering).StatusCode);
        }

        await redis.StopAsync();
        gate.Open();
        using var response = await answering;
        Assert.Equal(hasBegun ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var answer = await McpCalls.ReadAsync(response);
        Assert.Equal(hasBegun, answer["result"]?["isError"]?.GetValue<bool>() is true);
        Assert.Equal(hasBegun ? null : -32027, (int?)answer["error"]?["code"]);
    }

    [Theory]
    [InlineData(Generation.Sessions)]
    [InlineData(Generation.Stateless)]
    public async Task A_prompt_and_a_resource_that_find_the_store_away_are_503_too(Generation generation)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(settings: Open, redis: redis, services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Readers>()))
        );
        foreach (var expected in new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable })
        {
            foreach (
                var (method, parameters) in new[]
                {
                    ("prompts/get", new JsonObject { ["name"] = "stored" }),
                    ("resources/read", new JsonObject { ["uri"] = "stored://any" }),
                }
            )
            {
                using var request = McpCalls.Post(
                    server.Port,
                    Way.Path,
                    "acme",
                    null,
                    McpCalls.Message(method, parameters, generation),
                    generation
                );
                using var response = await server.Client.SendAsync(request, Token);
                Assert.Equal(expected, response.StatusCode);
                Assert.Equal(expected == HttpStatusCode.OK ? null : -32027, (int?)(await McpCalls.ReadAsync(response))["error"]?["code"]);
            }

            await redis.StopAsync();
        }
    }

    private static Dictionary<string, string?> Open =>
        new(TenancyServer.DefaultSettings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" };

    private static async Task AssertUnavailableAsync(
        TenancyServer server,
        string tool,
        JsonObject? arguments,
        Generation generation,
        string accept
    )
    {
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            null,
            McpCalls.Call(tool, arguments, generation),
            generation,
            accept: accept
        );
        using var refused = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal("application/json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        var error = (await McpCalls.ReadAsync(refused))["error"]!;
        Assert.Equal(-32027, (int)error["code"]!);
        Assert.Equal("SERVICE_UNAVAILABLE", error["data"]!["adcp_error"]!["code"]!.ToString());
    }

    private sealed class Handlers(SlowTools.Gate gate)
    {
        [McpServerTool(Name = "late")]
        public async Task<string> LateAsync(
            bool reports,
            ToolContext context,
            IProgress<ProgressNotificationValue> progress,
            CancellationToken cancellationToken
        )
        {
            if (reports)
            {
                progress.Report(new() { Progress = 1 });
            }

            await gate.EnterAsync(cancellationToken);
            return (await context.Documents<TestBuy>().GetAsync("mb_any", cancellationToken))?.Id ?? "none";
        }
    }

    private sealed class Readers
    {
        [McpServerPrompt(Name = "stored")]
        [McpServerResource(UriTemplate = "stored://any", Name = "stored")]
        public static async Task<string> ReadAsync(ToolContext context, CancellationToken cancellationToken) =>
            (await context.Documents<TestBuy>().GetAsync("mb_any", cancellationToken))?.Id ?? "none";
    }
}
