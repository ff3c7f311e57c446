using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Mcp;

namespace Tenancy.Tests.Adcp;

/// <summary>An AdCP tool answers the same whichever way its call takes: from the bytes of the body, or by way of the MCP SDK.</summary>
[Tier(Tier.Server)]
public sealed partial class AdcpDifferenceTests
{
    /// <summary>How a client speaks, and what it reads.</summary>
    public static TheoryData<string, bool, string> Clients { get; } =
        new MatrixTheoryData<string, bool, string>(
            ["2025-11-25", "2026-07-28"],
            [false, true],
            ["application/json, text/event-stream", "application/json"]
        );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Clients))]
    public async Task Both_ways_give_the_same_status_and_the_same_json(string version, bool hasSession, string accept)
    {
        if (hasSession && version == "2026-07-28")
        {
            // There are none since then; the answer that says so is compared all the same.
            hasSession = false;
            version = "2025-06-18";
        }

        var log = new LogRecorder(LogLevel.Information);
        await using var direct = await StartAsync(services => LogTheSdk(services, log));
        await using var sdk = await StartAsync(DifferenceTests.GoTheSdksWay);
        var sessions = new[] { direct, sdk }
            .Select(server => hasSession ? server.InitializeAsync("acme", McpCalls.Acme) : Task.FromResult((string?)null!))
            .ToArray();
        await Task.WhenAll(sessions);
        List<string> differences = [];
        foreach (var (name, body, token) in Requests(version))
        {
            var one = await AnswerAsync(direct, body, token, version, accept, await sessions[0]);
            var other = await AnswerAsync(sdk, body, token, version, accept, await sessions[1]);
            if (one.Head != other.Head || !JsonNode.DeepEquals(one.Body, other.Body))
            {
                differences.Add($"{name}\n  {one.Head} {one.Body?.ToJsonString()}\n  {other.Head} {other.Body?.ToJsonString()}");
            }
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));

        // Of the calls only those of tools that there are not are the SDK's.
        Assert.InRange(
            log.Entries.Count(entry => entry.Text.Contains("'tools/call' request handler called", StringComparison.Ordinal)),
            0,
            2
        );
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task A_retry_that_takes_the_other_way_is_a_replay(string version)
    {
        // The same request, as two clients write it.
        const string One = """
            "account":{"account_id":"any"},"brand":{"domain":"brand.example"},"start_time":"asap","end_time":"2099-01-01T00:00:00Z",
            "packages":[{"product_id":"é\u003c\/😀","pricing_option_id":"cpm","budget":100,"x":[1e2,-0.0,0.1]}],"context":{"a":1}
            """;
        const string Other = """
            "context":{"b":2},"packages":[{"x":[100,0,0.10],"budget":100.0,"pricing_option_id":"c\u0070m",
            "product_id":"\u00e9</\ud83d\ude00"}],
            "end_time":"2099-01-01T00:00:00Z","start_time":"asap","brand":{"domain":"brand.example"},"account":{"account_id":"any"}
            """;
        await using var server = await StartAsync(_ => { });
        foreach (var (first, second) in new[] { (true, false), (false, true), (true, true), (false, false) })
        {
            var key = $"key-{version}-{first}-{second}";
            var made = await BuyAsync(One, first, key);
            Assert.True(made["media_buy_id"] is not null && made["replayed"] is null, made.ToJsonString());
            var replay = await BuyAsync(Other, second, key);
            Assert.Equal(
                (made["media_buy_id"]!.ToString(), "true", "{\"b\":2}"),
                (replay["media_buy_id"]?.ToString(), replay["replayed"]?.ToJsonString(), replay["context"]?.ToJsonString())
            );
            var conflict = await BuyAsync(Other.Replace("100.0", "100.5", StringComparison.Ordinal), second, key);
            Assert.Equal("IDEMPOTENCY_CONFLICT", conflict["adcp_error"]?["code"]?.ToString());
        }

        // A call that wants to report on the way goes to the SDK.
        async Task<JsonNode> BuyAsync(string arguments, bool isDirect, string key)
        {
            var body = Call(
                version,
                "create_media_buy",
                $$$"""{"idempotency_key":"{{{key}}}",{{{arguments}}}}""",
                isDirect ? null : "\"progressToken\":\"p\""
            );
            return (await AnswerAsync(server, body, McpCalls.Acme, version, "application/json, text/event-stream", session: null)).Body![
                "result"
            ]!["structuredContent"]!;
        }
    }

    private static IEnumerable<(string Name, string Body, string? Token)> Requests(string version)
    {
        (string, string, string?) Of(string name, string tool, string? arguments, string? token = McpCalls.Acme) =>
            (name, Call(version, tool, arguments), token);
        foreach (var arguments in Reads())
        {
            yield return Of($"get_products {arguments}", "get_products", arguments);
        }

        yield return Of("no credentials", "get_products", """{"context":{"a":1}}""", token: null);
        yield return Of("no credentials, malformed", "get_products", """{"brief":5}""", token: null);
        yield return Of("no credentials, another tool", "get_media_buys", "{}", token: null);
        yield return Of("no credentials, a write", "create_media_buy", Buy("no-credentials-1"), token: null);
        yield return Of("bad credentials", "get_products", "{}", token: McpCalls.Globex);
        yield return Of("unknown tool", "no_such_tool", "{}");
        yield return Of("capabilities", "get_adcp_capabilities", """{"context":"x"}""");
        yield return Of("media buys", "get_media_buys", """{"media_buy_ids":["none"],"context":[]}""");
        yield return Of("media buys, unknown status", "get_media_buys", """{"status_filter":["halted"]}""");
        yield return Of("a handler that fails", "broken", """{"brief":"throw","context":{"trace":"é"}}""");
        yield return Of("a handler that refuses", "broken", """{"brief":"refuse","context":{"trace":7}}""");
        yield return Of("a malformed answer", "broken", """{"brief":"null"}""");
        yield return Of("an answer with all that JSON can say", "rich", "{}");
        yield return Of("an answer with all that JSON can say, and a context", "rich", """{"context":{"\u0022":"\\\u2028<"}}""");

        foreach (var depth in Enumerable.Range(54, 12))
        {
            yield return Of(
                $"{depth} levels of arrays",
                "get_products",
                $$$"""{"context":{"a":{{{new string('[', depth)}}}{{{new string(']', depth)}}}}}"""
            );
            var objects = string.Concat(Enumerable.Repeat("{\"x\":", depth)) + "1" + new string('}', depth);
            yield return Of($"{depth} levels of objects", "get_products", $$$"""{"context":{{{objects}}}}""");
            yield return Of(
                $"{depth} levels of what nobody knows",
                "get_products",
                $$$"""{"brand":{"domain":"a.example","x":{{{objects}}}}}"""
            );
            yield return Of($"{depth} levels in an error", "get_products", $$$"""{"brief":5,"context":{{{objects}}}}""");
            yield return Of($"{depth} levels in a write", "create_media_buy", Buy($"levels-of-a-write-{depth}", $",\"context\":{objects}"));
        }

        yield return Of("a write", "create_media_buy", Buy("key-of-a-write-1", ",\"context\":{\"a\":1}"));
        yield return Of("its replay", "create_media_buy", Buy("key-of-a-write-1", ",\"context\":{\"a\":1}"));
        yield return Of("its replay with another context", "create_media_buy", Buy("key-of-a-write-1", ",\"context\":[\"é\"]"));
        yield return Of("its replay without a context", "create_media_buy", Buy("key-of-a-write-1"));
        yield return Of("its conflict", "create_media_buy", Buy("key-of-a-write-1", ",\"po_number\":\"another\""));
        yield return Of("its conflict, null is not absent", "create_media_buy", Buy("key-of-a-write-1", ",\"po_number\":null"));
        yield return Of("the key is not a secret of the answer's", "create_media_buy", Buy("key_with.all:its-marks"));
        yield return Of("a write with a number that no double can hold", "create_media_buy", Buy("key-of-a-number-1", ",\"x\":1e400"));
        yield return Of("a write with a large number", "create_media_buy", Buy("key-of-a-number-2", ",\"x\":12345678901234567890123"));
        foreach (
            var (name, value) in new[]
            {
                ("idempotency_key", "\"short\""),
                ("idempotency_key", "null"),
                ("idempotency_key", "5"),
                ("idempotency_key", null),
                ("account", null),
                ("account", "{}"),
                ("account", "5"),
                ("brand", null),
                ("brand", "{}"),
                ("brand", "{\"domain\":\"no domain\"}"),
                ("packages", "[]"),
                ("packages", "null"),
                ("packages", "[null]"),
                ("packages", "{}"),
                ("packages", "[{\"product_id\":\"p\"}]"),
                ("packages", "[{\"product_id\":\"p\",\"pricing_option_id\":\"c\",\"budget\":-1}]"),
                ("packages", "[{\"product_id\":\"p\",\"pricing_option_id\":\"c\",\"budget\":\"1\"}]"),
                ("end_time", "\"soon\""),
                ("start_time", null),
                ("adcp_major_version", "99"),
                ("adcp_major_version", "\"3\""),
                ("adcp_major_version", "0"),
            }
        )
        {
            yield return Of($"{name} {value ?? "missing"}", "create_media_buy", With(Buy($"key-of-a-mistake-{name}"), name, value));
        }

        // The version is told of first.
        yield return Of("version 99 and more", "create_media_buy", """{"adcp_major_version":99,"packages":5,"context":{"a":1}}""");
        foreach (
            var twice in new[]
            {
                """{"brief":"a","brief":"b"}""",
                """{"brief":"a","br\u0069ef":"b"}""",
                """{"x":1,"x":2}""",
                """{"context":{"a":1,"a":2}}""",
                """{"context":[{"a":{"b":1,"b":2}}]}""",
                """{"context":1,"context":2}""",
                """{"brand":{"domain":"a.example","domain":"b.example"}}""",
                """{"brand":{"domain":"a.example","x":1,"x":2}}""",
                """{"pagination":{"max_results":1,"max_results":2}}""",
                """{"pagination":{"max_results":1,"x":1,"x":2}}""",
                """{"pagination":{"max_results":1,"x":{"y":1,"y":2}}}""",
                """{"ext":{"a":1,"a":1}}""",
                """{"refine":[{"a":1,"a":2}]}""",
                """{"brief":5,"x":1,"x":2}""",
            }
        )
        {
            yield return Of($"twice {twice}", "get_products", twice);
        }

        yield return Of("twice in a write", "create_media_buy", Buy("key-of-a-double-1", ",\"x\":1,\"x\":2"));
        yield return Of(
            "twice in what a write does not compare",
            "create_media_buy",
            Buy("key-of-a-double-2", ",\"context\":{\"a\":1,\"a\":2}")
        );
    }

    private static IEnumerable<string?> Reads() =>
        [
            null,
            "{}",
            """{"brief":"shoes"}""",
            """{"brief":""}""",
            """{"brief":null}""",
            """{"brief":5}""",
            """{"brief":["x"]}""",
            """{"Brief":"x"}""",
            """{"br\u0069ef":"x","buying_mode":"br\u0069ef"}""",
            """{"buying_mode":"haggle"}""",
            """{"refine":[]}""",
            """{"refine":[1,"x",{"a":null}]}""",
            """{"brand":{"domain":"not a domain"}}""",
            """{"brand":{"domain":null}}""",
            """{"brand":[]}""",
            """{"brand":{}}""",
            """{"account":{"account_id":"any"}}""",
            """{"account":{"operator":"agency.example"}}""",
            """{"account":null}""",
            """{"pagination":{"max_results":0}}""",
            """{"pagination":{"max_results":1.5}}""",
            """{"pagination":{"max_results":"1"}}""",
            """{"unknown":{"deep":[1,{"a":"b"}]}}""",
            """{"adcp_major_version":3}""",
            """{"adcp_major_version":99}""",
            """{"adcp_major_version":99,"context":{"a":1}}""",
            """{"adcp_major_version":3.5}""",
            """{"context":null}""",
            """{"context":{}}""",
            """{"context":[]}""",
            """{"context":"x"}""",
            """{"context":0}""",
            """{"context":false}""",
            """{"context":{"é<>&'+`":"é<>&\u2028\u2029\"\\\/\b\f\n\r\t\u0000\u001f\u007f\u0080 😀 \ud83d\ude00 日本"}}""",
            """{"context":{"\u0061\"\\":{"":"","a b":[[],{},""]}}}""",
            """{"context":[1.0,1e2,-0,-0.0,0.10,12345678901234567890,1E400,1e-400,0.1000000000000000055511151231257827]}""",
            """{"context":"event: message\ndata: {}\n\n"}""",
            """{"brief":5,"context":{"é":"\u2028\\\""}}""",
            """ { "brief" : "x" , "context" : { "a" : [ 1 , 2 ] } } """,
            """{"context":{"a":"\ud83d"}}""",
            """{"brief":"\udc00"}""",
            """{"ext":{"a":1},"context_id":"c"}""",
            $$"""{"context":"{{new string('x', 20_000)}}\"{{new string('é', 20_000)}}"}""",
        ];

    private static string Buy(string key, string more = "") =>
        $$$"""
            {"idempotency_key":"{{{key}}}","account":{"account_id":"any"},"brand":{"domain":"brand.example"},"start_time":"asap",
            "end_time":"2099-01-01T00:00:00Z",
            "packages":[{"product_id":"p","pricing_option_id":"cpm","budget":100}]{{{more}}}}
            """;

    private static string With(string arguments, string name, string? value)
    {
        var changed = JsonNode.Parse(arguments)!.AsObject();
        changed.Remove(name);
        if (value is not null)
        {
            changed[name] = JsonNode.Parse(value);
        }

        return changed.ToJsonString();
    }

    private static string Call(string version, string tool, string? arguments, string? meta = null)
    {
        const string Modern =
            "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}";
        var members = string.Join(',', new[] { version == "2026-07-28" ? Modern : null, meta }.OfType<string>());
        var parameters = string.Join(
            ',',
            new[]
            {
                $"\"name\":\"{tool}\"",
                arguments is null ? null : $"\"arguments\":{arguments}",
                members.Length > 0 ? $"\"_meta\":{{{members}}}" : null,
            }.OfType<string>()
        );
        return $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{{parameters}}}}}""";
    }

    private static async Task<(string Head, JsonNode? Body)> AnswerAsync(
        TenancyServer server,
        string body,
        string? token,
        string version,
        string accept,
        string? session
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, McpCalls.Url(server.Port, Way.Path, "acme"))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.Add("MCP-Protocol-Version", session is null ? version : "2025-11-25");
        request.Headers.TryAddWithoutValidation("Authorization", token is null ? null : $"Bearer {token}");
        if (version == "2026-07-28")
        {
            request.Headers.Add("Mcp-Method", "tools/call");
            request.Headers.Add("Mcp-Name", NamePattern().Match(body).Groups[1].Value);
        }

        if (session is not null)
        {
            request.Headers.Add("Mcp-Session-Id", session);
        }

        using var response = await server.Client.SendAsync(request, Token);
        var text = DifferenceTests.Reference().Replace(BuyPattern().Replace(await response.Content.ReadAsStringAsync(Token), "mb_1"), "");
        var head =
            $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {response.Headers.CacheControl} "
            + $"{response.Headers.WwwAuthenticate}";
        const string Frame = "event: message\ndata: ";
        var message = JsonNode.Parse(text.StartsWith(Frame, StringComparison.Ordinal) ? text[Frame.Length..] : text);
        AssertSaysOneThing(message, text);
        return (head, message);
    }

    // What programs read and what models read is the same.
    private static void AssertSaysOneThing(JsonNode? message, string text)
    {
        if (message?["result"]?["structuredContent"] is { } content)
        {
            Assert.True(
                JsonNode.DeepEquals(content, JsonNode.Parse(message["result"]!["content"]!.AsArray().Single()!["text"]!.ToString())),
                text
            );
        }
    }

    private static Task<TenancyServer> StartAsync(Action<IServiceCollection> change) =>
        TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Tenants:0:limits:rateLimit"] = "100000" },
            services: services =>
            {
                change(services);
                services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<DifferenceAdcpTools>()));
            }
        );

    private static void LogTheSdk(IServiceCollection services, LogRecorder log) =>
        services
            .AddSingleton<ILoggerProvider>(log)
            .AddLogging(logging => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information));

    [GeneratedRegex("mb_[A-Za-z0-9_-]+")]
    private static partial Regex BuyPattern();

    [GeneratedRegex("\"params\":\\{\"name\":\"([a-z_]+)\"")]
    private static partial Regex NamePattern();
}
