using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Gate;

/// <summary>Whatever a client sends, it is told what is wrong in a form that clients can read, and the server does not fail.</summary>
[Tier(Tier.Server)]
public sealed class BrokenRequestsTests(BrokenRequestsTests.Server shared) : IClassFixture<BrokenRequestsTests.Server>
{
    private const string Ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";

    private const string Both = "application/json, text/event-stream";

    private static readonly string[] Methods =
    [
        "initialize",
        "ping",
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "logging/setLevel",
        "server/discover",
        "subscriptions/listen",
        "tasks/get",
        "no/such",
        "",
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    ];

    private static readonly string[] Values =
    [
        "null",
        "true",
        "5",
        "-1.5",
        "1e400",
        "\"\"",
        "\"x\"",
        "[]",
        "[1]",
        "{}",
        """{"name":null}""",
        """{"name":5}""",
        """{"name":"whoami","arguments":[]}""",
        """{"name":"whoami","arguments":{"a":1e999}}""",
        """{"name":"whoami","_meta":5}""",
        """{"name":"whoami","_meta":{"progressToken":{}}}""",
        """{"name":"fail","arguments":{}}""",
        """{"uri":5}""",
        """{"uri":null}""",
        """{"uri":"x"}""",
        """{"uri":"\u0000://"}""",
        """{"level":"zzz"}""",
        """{"level":5}""",
        """{"ref":5,"argument":{}}""",
        """{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"a","value":"b"}}""",
        """{"protocolVersion":5}""",
        """{"protocolVersion":"2025-11-25","capabilities":[],"clientInfo":{"name":"c","version":"1"}}""",
        """{"protocolVersion":"9999-99-99","capabilities":{},"clientInfo":{"name":"c","version":"1"}}""",
        """{"protocolVersion":null,"capabilities":null,"clientInfo":null}""",
        """{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}"""
            + ""","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}""",
        """{"requestId":{},"reason":5}""",
        """{"progressToken":[],"progress":"x"}""",
        """{"cursor":5}""",
        """{"notifications":5}""",
        """{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}""",
        """{"_meta":{"io.modelcontextprotocol/protocolVersion":5,"io.modelcontextprotocol/clientCapabilities":"x"}}""",
        """{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientInfo":5}}""",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Bodies()
    {
        foreach (var method in Methods)
        {
            foreach (var value in Values)
            {
                yield return $$$"""{"jsonrpc":"2.0","id":1,"method":"{{{method}}}","params":{{{value}}}}""";
            }

            yield return $$"""{"jsonrpc":"2.0","id":"a","method":"{{method}}"}""";
            yield return $$"""{"jsonrpc":"2.0","method":"{{method}}","params":[]}""";
            yield return $$$"""{"jsonrpc":"2.0","method":"{{{method}}}","params":{"requestId":[],"uri":5}}""";
        }

        foreach (var value in Values)
        {
            yield return value;
            yield return $$"""{"jsonrpc":{{value}},"id":1,"method":"ping"}""";
            yield return $$"""{"jsonrpc":"2.0","id":{{value}},"method":"ping"}""";
            yield return $$$"""{"jsonrpc":"2.0","id":1,"method":{{{value}}}}""";
            yield return $$$"""{"jsonrpc":"2.0","id":1,"result":{{{value}}}}""";
            yield return $$$"""{"jsonrpc":"2.0","id":1,"error":{{{value}}}}""";
            yield return $$$"""{"jsonrpc":"2.0","id":1,"error":{"code":{{{value}}},"message":{{{value}}}}}""";
            yield return $$$"""{"jsonrpc":"2.0","result":{{{value}}},"error":{{{value}}}}""";
        }

        foreach (var whole in new[] { McpCalls.Call("whoami"), McpCalls.Initialize() })
        {
            for (var length = 0; length < whole.Length; length += 7)
            {
                yield return whole[..length];
                yield return whole.Remove(length, 1);
                yield return whole.Insert(length, "}");
            }
        }

        yield return "\ufeff{}";
        yield return new string('[', 100_00) + new string(']', 100_00);
        yield return "[" + McpCalls.Call("whoami") + "]";
    }

    [Theory]
    [InlineData("a caller", McpCalls.Acme, null, false)]
    [InlineData("a caller of the other generation", McpCalls.Acme, "2026-07-28", false)]
    [InlineData("a caller in a session", McpCalls.Acme, "2025-11-25", true)]
    [InlineData("nobody", null, "2025-11-25", false)]
    [InlineData("nobody of the other generation", null, "2026-07-28", false)]
    public async Task No_body_makes_the_server_fail(string who, string? token, string? version, bool hasSession)
    {
        await using var server = await StartAsync();
        var session = hasSession ? await server.InitializeAsync("acme", token) : null;
        var number = 0;
        var wrong = new List<string>();
        foreach (var body in Bodies())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{server.Port}/acme/mcp")
            {
                Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new("application/json") } },
            };
            number++;
            request.Headers.Add(ClientAddresses.HeaderName, $"192.0.{number / 250}.{number % 250}");
            request.Headers.TryAddWithoutValidation("Accept", number % 2 == 0 ? Both : "application/json");
            Add(request, "Authorization", token is null ? null : "Bearer " + token);
            Add(request, "MCP-Protocol-Version", version);
            Add(request, "Mcp-Session-Id", session);
            if (version == "2026-07-28")
            {
                Add(request, "Mcp-Method", body.Split("\"method\":\"").ElementAtOrDefault(1)?.Split('"')[0]);
                Add(request, "Mcp-Name", "whoami");
            }

            await JudgeAsync(server.Client, request, $"{who}: {(body.Length < 300 ? body : body[..100])}", wrong);
        }

        Assert.True(number > 900 && wrong.Count == 0, $"{wrong.Count} of {number}:\n{string.Join('\n', wrong.Take(40))}");
    }

    [Fact]
    public async Task No_head_makes_the_server_fail()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        string?[] types =
        [
            null,
            "",
            ";;",
            "text/plain",
            "application/json",
            "application/json;charset=utf-16",
            "application/json; charset=\"",
            "multipart/form-data",
            "json",
            "application/xml",
            "*/*",
            "application/json, application/json",
        ];
        string?[] accepts =
        [
            null,
            "",
            "application/json",
            "text/event-stream",
            "text/html",
            "*/*",
            ";;",
            "application/json;q=x",
            Both,
            "a/b/c",
        ];
        string?[] versions = [null, "", "2025-11-25", "2026-07-28", "1999-01-01", "x", "\"", "2025-11-25, 2026-07-28"];
        string?[] sessions = [null, "", "x", session, new string('s', 5000)];

        // One after the other, as what else a head says has no part in what they are: 7 divides none of the other numbers.
        string?[] origins = [null, "", "null", "http://localhost:1", "http://\uFF4Cocalhost:1", "http://\u00FC.example\"", "https://[::1"];
        using var client = Utf8Client();
        var wrong = new List<string>();
        var number = 0;
        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Get, HttpMethod.Delete })
        {
            foreach (var type in method == HttpMethod.Post ? types : [null])
            foreach (var accept in accepts)
            foreach (var version in versions)
            foreach (var named in sessions)
            foreach (var token in new[] { McpCalls.Acme, null })
            {
                if (method != HttpMethod.Post && named == session && token is not null)
                {
                    // A stream, or its end.
                    continue;
                }

                number++;
                using var request = new HttpRequestMessage(method, $"http://127.0.0.1:{server.Port}/acme/mcp");
                if (method == HttpMethod.Post)
                {
                    request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(McpCalls.Call("whoami")));
                    if (type is not null)
                    {
                        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                    }
                }

                request.Headers.Add(ClientAddresses.HeaderName, $"192.{number / 62500}.{number / 250 % 250}.{number % 250}");
                Add(request, "Accept", accept);
                Add(request, "MCP-Protocol-Version", version);
                Add(request, "Mcp-Session-Id", named);
                Add(request, "Authorization", token is null ? null : "Bearer " + token);
                var origin = origins[number % origins.Length];
                Add(request, "Origin", origin);
                await JudgeAsync(
                    client,
                    request,
                    $"{method} {type}|{accept}|{version}|{(named?.Length > 99 ? "long" : named)}|{token}|{origin}",
                    wrong
                );
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {number}:\n{string.Join('\n', wrong.Take(40))}");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(";;")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=unheard-of")]
    [InlineData("application/json; charset=\"utf-16\"")]
    public async Task A_body_that_is_not_said_to_be_json_is_415(string? type)
    {
        var server = shared.Host;
        foreach (var token in new[] { McpCalls.Acme, null })
        {
            var head = type is null ? "X-None: 1" : $"Content-Type: {type}";
            using var post = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{server.Port}/acme/mcp")
            {
                Content = new ByteArrayContent(Encoding.UTF8.GetBytes(McpCalls.Call("whoami"))),
            };
            if (type is not null)
            {
                post.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }

            Add(post, "Authorization", token is null ? null : "Bearer " + token);
            using var answer = await server.Client.SendAsync(post, Token);
            Assert.Equal((HttpStatusCode.UnsupportedMediaType, -32600), (answer.StatusCode, await CodeAsync(answer)));
        }
    }

    [Theory]
    [InlineData("application/json; charset=\"utf-8\"", "whoami")]
    [InlineData("application/json; charset=UTF-8", "ping")]
    [InlineData("application/json; charset=\"utf-8\"", "ping")]
    [InlineData("application/json; charset=utf8", "ping")]
    [InlineData("application/vnd.example+json; charset=\"UTF-8\"", "ping")]
    public async Task A_body_may_say_in_every_way_that_it_is_utf_8(string type, string what)
    {
        var server = shared.Host;
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, what == "ping" ? Ping : McpCalls.Call(what));
        post.Content!.Headers.Remove("Content-Type");
        post.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await server.Client.SendAsync(post, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotNull((await McpCalls.ReadAsync(answer))["result"]);
    }

    // Windows' own tools write one.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_byte_order_mark_before_the_message_changes_nothing(bool isPing)
    {
        var server = shared.Host;
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, "\uFEFF" + (isPing ? Ping : McpCalls.Call("whoami")));
        using var answer = await server.Client.SendAsync(post, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotNull((await McpCalls.ReadAsync(answer))["result"]);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(10, 0)]
    [InlineData(100, 100_000)]
    public async Task A_byte_order_mark_changes_nothing_wherever_the_body_is_cut_and_however_long_it_is(int cut, int padding)
    {
        var body = Encoding.UTF8.GetBytes("\uFEFF" + McpCalls.Call("whoami") + new string(' ', padding));
        using var post = await RawPost.BeginAsync(shared.Host.Port, "/acme/mcp", McpCalls.Acme, $"Content-Length: {body.Length}");
        await post.SendAsync(body[..cut]);

        // Whoever else is served by now comes after what was read of it.
        using (await shared.Host.Client.SendAsync(McpCalls.Post(shared.Host.Port, Way.Path, "acme", McpCalls.Acme, Ping), Token)) { }
        await post.SendAsync(body[cut..]);
        var answer = await post.ReadAsync();
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Contains("acme|principal:", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://\uFF4Cocalhost:1")]
    [InlineData("http://localhost\u3002:1")]
    [InlineData("http://b\u00FCcher.example")]
    public async Task An_origin_beyond_ascii_is_nobodys(string origin)
    {
        using var client = Utf8Client();
        foreach (
            var (method, path) in new[] { (HttpMethod.Post, "/acme/mcp"), (HttpMethod.Options, "/acme/mcp"), (HttpMethod.Get, "/token") }
        )
        {
            using var request = new HttpRequestMessage(method, $"http://127.0.0.1:{shared.Host.Port}{path}");
            Add(request, "Origin", origin);
            Add(request, "Access-Control-Request-Method", "POST");
            using var answer = await client.SendAsync(request, Token);
            Assert.True((int)answer.StatusCode is 403 or 404, $"{method} {path}: {answer.StatusCode}");
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("application/json, text/event-stream;q=0", HttpStatusCode.OK)]
    [InlineData("*/*, text/event-stream;q=0", HttpStatusCode.OK)]
    [InlineData("application/json;q=0.1, text/plain", HttpStatusCode.OK)]
    [InlineData("application/json;q=0", HttpStatusCode.NotAcceptable)]
    [InlineData("application/json;q=0, */*", HttpStatusCode.NotAcceptable)]
    [InlineData("*/*;q=0", HttpStatusCode.NotAcceptable)]
    public async Task What_a_client_says_that_it_does_not_want_it_does_not_get(string accept, HttpStatusCode expected)
    {
        var server = shared.Host;
        foreach (var body in new[] { Ping, McpCalls.Call("whoami") })
        {
            using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
            post.Headers.Remove("Accept");
            Add(post, "Accept", accept);
            using var answer = await server.Client.SendAsync(post, Token);
            Assert.Equal((expected, "application/json"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        }
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("PROPFIND")]
    public async Task A_method_that_is_not_taken_is_405_in_the_form_of_all_refusals(string method)
    {
        var server = shared.Host;
        foreach (var (path, status) in new[] { ("/acme/mcp", 405), ("/nobody/mcp", 404) })
        {
            using var request = new HttpRequestMessage(new(method), $"http://127.0.0.1:{server.Port}{path}");
            using var answer = await server.Client.SendAsync(request, Token);
            Assert.Equal((status, -32600), ((int)answer.StatusCode, await CodeAsync(answer)));
            Assert.Equal(status == 405 ? ["GET", "POST", "DELETE"] : [], answer.Content.Headers.Allow);
        }
    }

    [Fact]
    public async Task A_body_that_is_packed_is_415()
    {
        var server = shared.Host;
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        post.Content!.Headers.ContentEncoding.Add("gzip");
        using var answer = await server.Client.SendAsync(post, Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Theory]
    [InlineData("/acme/mcp", McpCalls.Acme)]
    [InlineData("/acme/mcp", null)]
    public async Task Without_a_session_there_is_nothing_to_get_or_delete_and_it_costs_nothing(string path, string? token)
    {
        var server = shared.Host;
        foreach (var version in new[] { null, "2025-11-25", "2026-07-28" })
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
            {
                using var request = new HttpRequestMessage(method, $"http://127.0.0.1:{server.Port}{path}");
                Add(request, "Accept", "text/event-stream");
                Add(request, "MCP-Protocol-Version", version);
                Add(request, "Authorization", token is null ? null : "Bearer " + token);
                using var answer = await server.Client.SendAsync(request, Token);
                Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
                Assert.Equal(["POST"], answer.Content.Headers.Allow);
                Assert.False(answer.Headers.Contains("RateLimit"));
                Assert.Equal(-32600, await CodeAsync(answer));
            }
        }
    }

    [Theory]
    [InlineData("/nobody/mcp", 404)]
    [InlineData("/mcp", 400)]
    public async Task What_names_no_tenant_that_there_is_is_refused_in_the_same_form(string path, int status)
    {
        var server = shared.Host;
        using var request = McpCalls.Post(server.Port, Way.Path, "any", McpCalls.Acme, McpCalls.Call("whoami"));
        request.RequestUri = new($"http://127.0.0.1:{server.Port}{path}");
        using var answer = await server.Client.SendAsync(request, Token);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        var error = await McpCalls.ReadAsync(answer);
        Assert.False(error.AsObject().ContainsKey("id"));
        Assert.Equal(-32600, (int)error["error"]!["code"]!);
    }

    [Fact]
    public async Task Parameters_that_cannot_be_read_are_no_failure_of_the_servers()
    {
        var server = shared.Host;
        foreach (
            var body in new[]
            {
                """{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}""",
                """{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}""",
                """{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":5}}""",
                """{"jsonrpc":"2.0","id":7,"method":"logging/setLevel","params":{"level":"loud"}}""",
            }
        )
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
            using var answer = await server.Client.SendAsync(request, Token);
            var error = await McpCalls.ReadAsync(answer);
            Assert.Equal((-32602, 7), ((int)error["error"]!["code"]!, (int)error["id"]!));
        }
    }

    [Fact]
    public async Task A_body_whose_frame_is_broken_is_400()
    {
        await using var server = await StartAsync();
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", McpCalls.Acme, "Transfer-Encoding: chunked");
        await post.SendAsync("zz\r\nnonsense\r\n");
        var answer = await post.ReadAsync();
        Assert.Equal(400, answer.Status);
    }

    private static Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:Tenants:0:limits:rateLimit"] = "10000000",
                ["Tenancy:Tenants:0:limits:maxSessions"] = "100000",
            },
            services: services => services.AddSingleton<IStartupFilter, ClientAddresses>()
        );

    private static HttpClient Utf8Client() =>
        new(new SocketsHttpHandler { UseProxy = false, RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8 });

    private static void Add(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private static async Task<int> CodeAsync(HttpResponseMessage answer) => (int)(await McpCalls.ReadAsync(answer))["error"]!["code"]!;

    // What no answer may be.
    private static async Task JudgeAsync(HttpClient client, HttpRequestMessage request, string what, List<string> wrong)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            using var answer = await client.SendAsync(request, limit.Token);
            var text = await answer.Content.ReadAsStringAsync(limit.Token);
            if (Explain((int)answer.StatusCode, text) is { } reason)
            {
                wrong.Add($"{reason}: {what} -> {(int)answer.StatusCode} {text}");
            }
        }
        catch (OperationCanceledException)
        {
            wrong.Add($"no answer: {what}");
        }
    }

    private static string? Explain(int status, string text)
    {
        if (status >= 500)
        {
            return "a failure of the server's";
        }

        if (text.Contains("\"id\":null", StringComparison.Ordinal))
        {
            return "an id that no client reads";
        }

        if (text.Contains("-32603", StringComparison.Ordinal))
        {
            return "an internal error";
        }

        if (text.Contains("SessionMode", StringComparison.Ordinal) || text.Contains("   at ", StringComparison.Ordinal))
        {
            return "advice for developers";
        }

        return status >= 400 && !IsError(text) ? "no JSON-RPC error" : null;
    }

    private static bool IsError(string text)
    {
        try
        {
            var json = text.StartsWith("event:", StringComparison.Ordinal)
                ? text[(text.IndexOf("data: ", StringComparison.Ordinal) + 6)..]
                : text;
            return JsonNode.Parse(json) is JsonObject message
                && (string?)message["jsonrpc"] == "2.0"
                && message["error"]!["code"]!.GetValueKind() == JsonValueKind.Number
                && message["error"]!["message"]!.GetValueKind() == JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>One server for all tests that only ask it something.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await StartAsync();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
