using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>
/// What a client tells a session reaches whom it is for, or is refused with the reason: nothing is accepted that nobody acts upon.
/// </summary>
[Tier(Tier.Process)]
public sealed class DeliveriesTests : IAsyncLifetime
{
    private const string Both = "application/json, text/event-stream";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SlowTools.Gate _gate = new();
    private RedisServer _redis = null!;
    private TenancyServer _one = null!;
    private TenancyServer? _two;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _one = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _gate.Dispose();
        await _one.DisposeAsync();
        await (_two?.DisposeAsync() ?? default);
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("slow", Both, HttpStatusCode.OK)]
    [InlineData("slow", "application/json", HttpStatusCode.Accepted)]
    [InlineData("slow_by_sdk", Both, HttpStatusCode.OK)]
    [InlineData("slow_by_sdk", "application/json", HttpStatusCode.Accepted)]
    public async Task A_cancellation_ends_a_request_of_its_own_node_and_is_refused_by_another(
        string tool,
        string accept,
        HttpStatusCode status
    )
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        var call = SendAsync(_one, session, McpCalls.Call(tool), accept);
        await _gate.WaitForAsync(1);
        await AssertRefusedAsync(_two, session, Cancel("1"));
        await AssertRefusedAsync(_one, session, Cancel("2"));
        await AssertRefusedAsync(_one, session, Cancel("\"1\""));
        await AssertRefusedAsync(_one, await InitializeAsync(_one), Cancel("1"));
        await AssertRefusedAsync(_one, null, Cancel("1"));
        await AssertRefusedAsync(_one, session, """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}""");
        Assert.False(call.IsCompleted);

        await AssertAcceptedAsync(_one, session, Cancel("1"));
        using var ended = await call.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(status, ended.StatusCode);
        Assert.Empty(await ended.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task A_cancellation_that_comes_too_late_is_no_mistake()
    {
        _gate.Open();
        var session = await InitializeAsync(_one);
        foreach (var tool in new[] { "slow", "slow_by_sdk" })
        {
            using var answered = await SendAsync(_one, session, McpCalls.Call(tool));
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
            await AssertAcceptedAsync(_one, session, Cancel("1"));
        }
    }

    [Fact]
    public async Task A_cancelled_prompt_and_tool_free_their_places_with_their_handlers()
    {
        var session = await InitializeAsync(_one);
        using var limits = await _one.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":6}}""");
        var calls = new List<Task<HttpResponseMessage>>
        {
            SendAsync(_one, session, WithId(McpCalls.Call("slow"), 1)),
            SendAsync(_one, session, WithId(McpCalls.Call("slow_by_sdk"), 2)),
            SendAsync(_one, session, WithId(McpCalls.Message("prompts/get", new() { ["name"] = "slow_prompt" }), 3)),
        };
        await _gate.WaitForAsync(3);
        using (var full = await SendAsync(_one, session, WithId(McpCalls.Call("whoami"), 4)))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, full.StatusCode);
        }

        // None of these takes a place.
        using (var ping = await SendAsync(_one, session, WithId(McpCalls.Message("ping"), 5)))
        {
            Assert.Equal(HttpStatusCode.OK, ping.StatusCode);
        }

        Assert.NotEqual(session, await InitializeAsync(_one));
        await using (var stream = await OpenStream.GetAsync(_one, McpCalls.Acme, session))
        {
            await stream.ReadUntilAsync(OpenStream.Comment);
        }

        foreach (var id in new[] { 1, 2, 3 })
        {
            await AssertAcceptedAsync(_one, session, Cancel($"{id}"));
            using var ended = await calls[id - 1].WaitAsync(TimeSpan.FromSeconds(20), Token);
            Assert.Empty(await ended.Content.ReadAsByteArrayAsync(Token));
        }

        await Poll.UntilAsync(async () =>
        {
            using var free = await SendAsync(_one, session, WithId(McpCalls.Call("whoami"), 6));
            return free.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task An_answer_reaches_the_node_that_asked_and_is_refused_by_another_also_at_the_limit_of_calls()
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        using var limits = await _one.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":1}}""");
        using var request = McpCalls.Post(_one.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("ask"), sessionId: session);
        await using var asking = await OpenStream.SendAsync(_one, request);
        var asked = await asking.ReadUntilAsync("\n\n");
        var id = JsonNode.Parse(asked.Split("data: ")[1])!["id"]!.ToJsonString();
        var answer = $$$$"""{"jsonrpc":"2.0","id":{{{{id}}}},"result":{"action":"accept","content":{"name":"x"}}}""";
        await AssertRefusedAsync(_two, session, answer);
        await AssertRefusedAsync(_one, session, answer.Replace($"\"id\":{id}", "\"id\":99", StringComparison.Ordinal));
        await AssertRefusedAsync(_one, await InitializeAsync(_one), answer);
        await AssertRefusedAsync(_one, null, answer);
        await AssertAcceptedAsync(_one, session, answer);
        Assert.Contains("accept", await asking.ReadToEndAsync(), StringComparison.Ordinal);
        await AssertRefusedAsync(_one, session, answer);
    }

    [Fact]
    public async Task A_log_level_is_kept_where_there_is_one_node_and_refused_where_there_are_more()
    {
        var (session, capabilities) = await BeginAsync(_one);
        Assert.NotNull(capabilities["logging"]);
        Assert.Equal(HttpStatusCode.OK, await SetLevelAsync(_one, session));
        Assert.Equal("Warning", await LevelAsync(_one, session));
        Assert.Equal(HttpStatusCode.BadRequest, await SetLevelAsync(_one, null));

        _two = await StartAsync();
        await Poll.UntilAsync(async () => await SetLevelAsync(_one, session) == HttpStatusCode.BadRequest);
        Assert.Equal(HttpStatusCode.BadRequest, await SetLevelAsync(_two, session));
        Assert.Null((await BeginAsync(_one)).Capabilities["logging"]);

        // A node that ends says so.
        await _two.App.StopAsync(Token);
        Assert.Equal(HttpStatusCode.OK, await SetLevelAsync(_one, session));
        Assert.NotNull((await BeginAsync(_one)).Capabilities["logging"]);
    }

    private static string Cancel(string id) =>
        $$$"""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{{{id}}}}}""";

    private static string WithId(string message, int id) => message.Replace("\"id\":1", $"\"id\":{id}", StringComparison.Ordinal);

    private static async Task<string> InitializeAsync(TenancyServer server) => (await BeginAsync(server)).Session;

    private static async Task<(string Session, JsonNode Capabilities)> BeginAsync(TenancyServer server)
    {
        var initialize = JsonNode.Parse(McpCalls.Initialize())!;
        initialize["params"]!["capabilities"]!["elicitation"] = new JsonObject();
        using var response = await SendAsync(server, null, initialize.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (response.Headers.GetValues("Mcp-Session-Id").Single(), (await McpCalls.ReadAsync(response))["result"]!["capabilities"]!);
    }

    private static async Task<HttpStatusCode> SetLevelAsync(TenancyServer server, string? session)
    {
        using var response = await SendAsync(server, session, McpCalls.Message("logging/setLevel", new() { ["level"] = "warning" }));
        if (response.StatusCode == HttpStatusCode.BadRequest)
        {
            Assert.Equal(1, (int)(await McpCalls.ReadAsync(response))["id"]!);
        }

        return response.StatusCode;
    }

    private static async Task<string> LevelAsync(TenancyServer server, string session) =>
        (await server.CallAsync("acme", McpCalls.Acme, "level", sessionId: session))["content"]![0]!["text"]!.ToString();

    private static async Task AssertRefusedAsync(TenancyServer server, string? session, string body)
    {
        using var response = await SendAsync(server, session, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var answer = await McpCalls.ReadAsync(response);
        Assert.Null(answer["id"]);
        Assert.Contains("node", (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    private static async Task AssertAcceptedAsync(TenancyServer server, string session, string body)
    {
        using var response = await SendAsync(server, session, body);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(TenancyServer server, string? session, string body, string accept = Both)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, sessionId: session, accept: accept);
        return await server.Client.SendAsync(request, Token);
    }

    private Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(redis: _redis, services: services =>
            services
                .AddSingleton<TimeProvider>(_time)
                .AddSingleton(_gate)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()))
        );

    private sealed class Handlers(SlowTools.Gate gate)
    {
        [McpServerTool(Name = "slow")]
        public async Task<string> SlowAsync(CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return "done";
        }

        [McpServerTool(Name = "slow_by_sdk")]
        public async Task<string> SlowAsync(McpServer server, CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return "done";
        }

        [McpServerPrompt(Name = "slow_prompt")]
        public async Task<string> PromptAsync(CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return "done";
        }

        [McpServerTool(Name = "ask")]
        public async Task<string> AskAsync(McpServer server, CancellationToken cancellationToken) =>
            (
                await server.ElicitAsync(
                    new ElicitRequestParams
                    {
                        Message = "Who?",
                        RequestedSchema = new()
                        {
                            Properties = new Dictionary<string, ElicitRequestParams.PrimitiveSchemaDefinition>
                            {
                                ["name"] = new ElicitRequestParams.StringSchema(),
                            },
                        },
                    },
                    cancellationToken
                )
            ).Action;

#pragma warning disable MCP9005 // Deprecated since 2026-07-28, and what clients before it have.
        [McpServerTool(Name = "level")]
        public string Level(McpServer server) => server.LoggingLevel?.ToString() ?? "none";
#pragma warning restore MCP9005
    }
}
