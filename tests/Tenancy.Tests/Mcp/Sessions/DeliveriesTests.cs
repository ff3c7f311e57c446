using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using StackExchange.Redis;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>
/// What a client tells a session reaches whom it is for, or is refused with the reason: nothing is accepted that nobody acts upon.
/// </summary>
[Tier(Tier.Process)]
public sealed class DeliveriesTests : IAsyncLifetime
{
    private const string Both = "application/json, text/event-stream";

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
    [InlineData(false, "slow", Both, HttpStatusCode.OK)]
    [InlineData(false, "slow", "application/json", HttpStatusCode.Accepted)]
    [InlineData(false, "slow_by_sdk", Both, HttpStatusCode.OK)]
    [InlineData(false, "slow_by_sdk", "application/json", HttpStatusCode.Accepted)]
    [InlineData(true, "slow", Both, HttpStatusCode.OK)]
    [InlineData(true, "slow", "application/json", HttpStatusCode.Accepted)]
    [InlineData(true, "slow_by_sdk", Both, HttpStatusCode.OK)]
    [InlineData(true, "slow_by_sdk", "application/json", HttpStatusCode.Accepted)]
    public async Task A_cancellation_ends_a_request_whichever_node_it_comes_to(
        bool isElsewhere,
        string tool,
        string accept,
        HttpStatusCode status
    )
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        var call = SendAsync(_one, session, McpCalls.Call(tool), accept);
        await _gate.WaitForAsync(1);
        var told = isElsewhere ? _two : _one;
        await AssertRefusedAsync(told, session, Cancel("2"));
        await AssertRefusedAsync(told, session, Cancel("\"1\""));
        await AssertRefusedAsync(told, await InitializeAsync(told), Cancel("1"));
        await AssertRefusedAsync(told, await InitializeAsync(_one), Cancel("1"));
        await AssertRefusedAsync(told, null, Cancel("1"));
        await AssertRefusedAsync(told, session, """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}""");
        await AssertForeignAsync(told, session, Cancel("1"));
        Assert.False(call.IsCompleted);

        await AssertAcceptedAsync(told, session, Cancel("1"));
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

        // The platform has no handler of its own for these lists.
        foreach (var method in new[] { "prompts/list", "resources/list", "resources/templates/list" })
        {
            using var list = await SendAsync(_one, session, WithId(McpCalls.Message(method), 5));
            Assert.True(list.StatusCode == HttpStatusCode.OK, $"{method}: {list.StatusCode}");
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_reaches_the_node_that_asked_also_at_the_limit_of_calls(bool isElsewhere)
    {
        _two = await StartAsync();
        var told = isElsewhere ? _two : _one;
        var session = await InitializeAsync(_one);
        using var limits = await _one.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":1}}""");
        using var request = McpCalls.Post(_one.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("ask"), sessionId: session);
        await using var asking = await OpenStream.SendAsync(_one, request);
        var asked = await asking.ReadUntilAsync("\n\n");
        var id = JsonNode.Parse(asked.Split("data: ")[1])!["id"]!.ToJsonString();
        var answer = $$$$"""{"jsonrpc":"2.0","id":{{{{id}}}},"result":{"action":"accept","content":{"name":"x"}}}""";
        foreach (var other in new[] { "1", "99", "\"1\"" })
        {
            // The MCP SDK counts its questions from 1.
            await AssertRefusedAsync(told, session, answer.Replace($"\"id\":{id}", $"\"id\":{other}", StringComparison.Ordinal));
        }

        await AssertRefusedAsync(told, await InitializeAsync(told), answer);
        await AssertRefusedAsync(told, await InitializeAsync(_one), answer);
        await AssertRefusedAsync(told, null, answer);
        await AssertForeignAsync(told, session, answer);
        await AssertAcceptedAsync(told, session, answer);
        Assert.Contains("accept", await asking.ReadToEndAsync(), StringComparison.Ordinal);
        await AssertRefusedAsync(told, session, answer);
    }

    [Theory]
    [InlineData(false, """{"limits":{"rateLimit":1}}""")]
    [InlineData(true, """{"limits":{"rateLimit":1}}""")]
    [InlineData(false, """{"limits":{"rateLimitPerCaller":1}}""")]
    public async Task An_answer_and_a_cancellation_are_taken_where_the_call_has_spent_the_rate_limit(bool isElsewhere, string limits)
    {
        using var limited = await _one.AdminAsync(HttpMethod.Patch, "/acme", limits);
        var session = await InitializeAsync(_one);
        _two = await StartAsync();
        var told = isElsewhere ? _two : _one;
        using var request = McpCalls.Post(_one.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("ask"), sessionId: session);
        await using (var asking = await OpenStream.SendAsync(_one, request))
        {
            var asked = await asking.ReadUntilAsync("\n\n");
            var id = JsonNode.Parse(asked.Split("data: ")[1])!["id"]!.ToJsonString();
            using (var call = await SendAsync(told, session, McpCalls.Call("level")))
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, call.StatusCode);
            }

            await AssertAcceptedAsync(told, session, $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"action":"decline"}}""");
            Assert.Contains("decline", await asking.ReadToEndAsync(), StringComparison.Ordinal);
        }

        // What has ended a moment ago may still be cancelled.
        await AssertAcceptedAsync(_one, session, Cancel("1"));
    }

    [Fact]
    public async Task An_answer_is_for_the_question_that_it_names_where_two_nodes_ask_one_client()
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        var asked = new List<(OpenStream Stream, string Id)>();
        foreach (var node in new[] { _one, _two })
        {
            using var request = McpCalls.Post(node.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("ask"), sessionId: session);
            var stream = await OpenStream.SendAsync(node, request);
            var question = await stream.ReadUntilAsync("\n\n");
            asked.Add((stream, JsonNode.Parse(question.Split("data: ")[1])!["id"]!.ToJsonString()));
        }

        // Each is answered at the other node.
        await AssertAcceptedAsync(_two, session, $$$"""{"jsonrpc":"2.0","id":{{{asked[0].Id}}},"result":{"action":"decline"}}""");
        await AssertAcceptedAsync(_one, session, $$$"""{"jsonrpc":"2.0","id":{{{asked[1].Id}}},"result":{"action":"cancel"}}""");
        foreach (var (index, action) in new[] { "decline", "cancel" }.Index())
        {
            await using var stream = asked[index].Stream;
            Assert.Contains(action, await stream.ReadToEndAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_too_large_to_be_passed_on_is_refused_with_the_reason_and_few_may_wait_at_once()
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        var large = new string('x', Deliveries.MaxMessage);
        using (
            var refused = await SendAsync(
                _two,
                session,
                $$$$"""{"jsonrpc":"2.0","id":"q","result":{"action":"accept","content":{"name":"{{{{large}}}}"}}}"""
            )
        )
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        }

        var many = await Task.WhenAll(Enumerable.Range(0, 3 * Deliveries.MaxWaiting).Select(_ => SendAsync(_two, session, Cancel("7"))));
        Assert.Contains(many, answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.InRange(many.Count(answer => answer.StatusCode == HttpStatusCode.BadRequest), 1, 2 * Deliveries.MaxWaiting);
        foreach (var answer in many)
        {
            answer.Dispose();
        }
    }

    [Fact]
    public async Task A_log_level_is_the_sessions_on_each_node_that_has_it_or_takes_it_over()
    {
        var (session, capabilities) = await BeginAsync(_one);
        Assert.NotNull(capabilities["logging"]);
        Assert.Equal("none", await LevelAsync(_one, session));
        Assert.Equal(HttpStatusCode.OK, await SetLevelAsync(_one, session));
        Assert.Equal("Warning", await LevelAsync(_one, session));
        Assert.Equal(HttpStatusCode.BadRequest, await SetLevelAsync(_one, null));

        // It takes the session over.
        _two = await StartAsync();
        Assert.Equal("Warning", await LevelAsync(_two, session));
        Assert.Equal(HttpStatusCode.OK, await SetLevelAsync(_two, session, "error"));
        await Poll.UntilAsync(async () => await LevelAsync(_one, session) == "Error");
        Assert.Equal("Error", await LevelAsync(_two, session));
        Assert.NotNull((await BeginAsync(_one)).Capabilities["logging"]);

        // Nobody else's has changed.
        Assert.Equal("none", await LevelAsync(_one, await InitializeAsync(_one)));
    }

    [Theory]
    [InlineData("\"warning\"", HttpStatusCode.OK, "Warning")]
    [InlineData("\"WARNING\"", HttpStatusCode.BadRequest, "none")]
    [InlineData("4", HttpStatusCode.BadRequest, "none")]
    [InlineData("99", HttpStatusCode.BadRequest, "none")]
    [InlineData("\"warning\\\",\\\"x\"", HttpStatusCode.BadRequest, "none")]
    [InlineData("null", HttpStatusCode.BadRequest, "none")]
    public async Task A_log_level_is_kept_by_its_name_or_refused(string level, HttpStatusCode status, string kept)
    {
        var session = await InitializeAsync(_one);
        using var response = await SendAsync(
            _one,
            session,
            McpCalls.Message("logging/setLevel", new() { ["level"] = JsonNode.Parse(level) })
        );
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(kept, await LevelAsync(_one, session));

        // A node that takes the session over has it from the store.
        _two = await StartAsync();
        Assert.Equal(kept, await LevelAsync(_two, session));
    }

    [Fact]
    public async Task Of_a_log_level_the_other_nodes_hear_the_level_alone()
    {
        _two = await StartAsync();
        var session = await InitializeAsync(_one);
        Assert.Equal("none", await LevelAsync(_two, session));
        await using var listener = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<int>();
        await listener
            .GetSubscriber()
            .SubscribeAsync(RedisChannel.Literal("{tenants}:messages"), (_, message) =>
                heard.Enqueue(((ReadOnlyMemory<byte>)message).Length)
            );
        var parameters = new JsonObject
        {
            ["level"] = "warning",
            ["_meta"] = new JsonObject { ["much"] = new string('x', 3_000_000) },
        };
        using var response = await SendAsync(_one, session, McpCalls.Message("logging/setLevel", parameters));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Poll.UntilAsync(async () => await LevelAsync(_two, session) == "Warning");
        Assert.NotEmpty(heard);
        Assert.All(heard, size => Assert.InRange(size, 0, 4096));
    }

    [Theory]
    [InlineData("logging/setLevel", """{"level":"warning"}""")]
    [InlineData("tools/call", """{"name":"whoami"}""")]
    [InlineData("tools/list", "{}")]
    [InlineData("made/up", "{}")]
    public async Task A_request_without_an_id_is_refused_as_nobody_would_do_it(string method, string parameters)
    {
        var session = await InitializeAsync(_one);
        foreach (var id in new[] { "", "\"Id\":1," })
        {
            var body = $$$"""{"jsonrpc":"2.0",{{{id}}}"method":"{{{method}}}","params":{{{parameters}}}}""";
            using var refused = await SendAsync(_one, session, body);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            var message = (string)(await McpCalls.ReadAsync(refused))["error"]!["message"]!;
            Assert.Contains($"its id is missing: without one, {method} would be a notification", message, StringComparison.Ordinal);
        }

        Assert.Equal("none", await LevelAsync(_one, session));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    public async Task An_answer_that_is_no_object_is_refused_and_the_question_stays(string result)
    {
        var session = await InitializeAsync(_one);
        using var request = McpCalls.Post(_one.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("ask"), sessionId: session);
        await using var asking = await OpenStream.SendAsync(_one, request);
        var id = IdOf(await asking.ReadUntilAsync("\n\n"));
        using (var refused = await SendAsync(_one, session, $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{{{result}}}}"""))
        {
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }

        await AssertAcceptedAsync(_one, session, $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"action":"decline"}}""");
        Assert.Contains("decline", await asking.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_reads_plain_json_is_asked_on_the_stream_of_the_session_and_where_there_is_none_the_tool_is_told_so()
    {
        var session = await InitializeAsync(_one);
        using (var alone = await SendAsync(_one, session, McpCalls.Call("ask"), "application/json"))
        {
            var result = (await McpCalls.ReadAsync(alone))["result"]!;
            Assert.True((bool)result["isError"]!);
            Assert.Contains("does not accept text/event-stream", (string)result["content"]![0]!["text"]!, StringComparison.Ordinal);
        }

        await using var stream = await OpenStream.GetAsync(_one, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        var call = SendAsync(_one, session, McpCalls.Call("ask"), "application/json");
        var id = IdOf(await stream.ReadUntilAsync("}\n\n"));
        await AssertAcceptedAsync(_one, session, $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"action":"decline"}}""");
        using var answered = await call;
        Assert.Equal("decline", (string)(await McpCalls.ReadAsync(answered))["result"]!["content"]![0]!["text"]!);
    }

    [Fact]
    public async Task Whose_client_cannot_be_asked_is_told_why()
    {
        // Without the capability, and without a session.
        foreach (var session in new[] { await _one.InitializeAsync("acme", McpCalls.Acme), null })
        {
            using var response = await SendAsync(_one, session, McpCalls.Call("ask"));
            var text = (string)(await McpCalls.ReadAsync(response))["result"]!["content"]![0]!["text"]!;
            Assert.Contains("licitation", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Reference", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("tools/list")]
    [InlineData("prompts/list")]
    public async Task A_cursor_that_nobody_gave_is_refused_and_no_empty_list(string method)
    {
        var session = await InitializeAsync(_one);
        foreach (var cursor in new[] { "zzz", "" })
        {
            using var response = await SendAsync(_one, session, McpCalls.Message(method, new() { ["cursor"] = cursor }));
            var error = (await McpCalls.ReadAsync(response))["error"]!;
            Assert.Equal((-32602, "There is no such page: begin without a cursor."), ((int)error["code"]!, (string)error["message"]!));
        }

        using var first = await SendAsync(_one, session, McpCalls.Message(method, new() { ["cursor"] = null }));
        Assert.NotNull((await McpCalls.ReadAsync(first))["result"]);
    }

    private static string IdOf(string question) => JsonNode.Parse(question.Split("data: ")[1])!["id"]!.ToJsonString();

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

    private static async Task<HttpStatusCode> SetLevelAsync(TenancyServer server, string? session, string level = "warning")
    {
        using var response = await SendAsync(server, session, McpCalls.Message("logging/setLevel", new() { ["level"] = level }));
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

    /// <summary>To another caller of the tenant and to another tenant's the session does not exist.</summary>
    private static async Task AssertForeignAsync(TenancyServer server, string session, string body)
    {
        using var made = await server.AdminAsync(HttpMethod.Post, "/acme/principals", new { name = "other" });
        var other = (await McpCalls.ReadAsync(made))["token"]!.ToString();
        foreach (var (tenant, token) in new[] { ("acme", other), ("globex", McpCalls.Globex) })
        {
            using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, body, sessionId: session);
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
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
            services.AddSingleton(_gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()))
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
