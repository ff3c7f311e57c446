using System.Text;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Mcp;

/// <summary>A request as bytes and headers.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Body">Its body.</param>
/// <param name="Headers">Its headers; <c>Content-Type</c> and <c>Accept</c> are among them.</param>
/// <param name="IsChunked">Whether it does not say how long it is.</param>
internal sealed record DifferenceRequest(string Name, byte[] Body, IReadOnlyDictionary<string, string?> Headers, bool IsChunked = false)
{
    public override string ToString() => Name;
}

/// <summary>Requests without a session, of both generations: usual ones, and all kinds of unusual ones.</summary>
internal static class DifferenceRequests
{
    private const string Both = "application/json, text/event-stream";
    private const string Prefix = "io.modelcontextprotocol/";
    private static readonly (string Tool, JsonObject Arguments)[] Calls =
    [
        ("echo", new() { ["message"] = "hi" }),
        ("echo", []),
        ("echo", new() { ["message"] = 5 }),
        ("echo", new() { ["message"] = null }),
        ("echo", new() { ["message"] = "hi", ["more"] = 1 }),
        ("optional", []),
        (
            "optional",
            new()
            {
                ["count"] = "7",
                ["text"] = "t",
                ["flags"] = new JsonArray(true),
            }
        ),
        ("client", []),
        ("progress", new() { ["n"] = 2 }),
        ("notify", []),
        ("notify_and_fail", []),
        ("elicit", []),
        ("ask_input", []),
        ("wait", new() { ["ms"] = 30 }),
        ("mcp_exception", []),
        ("exception", []),
        ("invalid_params", []),
        ("method_not_found", []),
        ("missing_capability", []),
        ("cancelled", []),
        ("nothing", []),
        ("unicode", []),
        ("meta", []),
        ("own_server_info", []),
        ("same_instance", []),
        ("same_instance", []),
        ("error_result", []),
        ("big", []),
        ("structured", []),
        ("structured_number", []),
        ("structured_tree", []),
        ("structured_or_nothing", []),
        ("blocks", []),
        ("no_such_tool", []),
        ("defaults", []),
        ("defaults", Json("""{"kind":"One","day":"2026-01-02T03:04:05Z","text":"","part":null}""")),
        ("any_values", Json("""{"any":null}""")),
        ("any_values", Json("""{"any":{"a":[1,{"b":null}]},"thing":{"c":1},"node":[true],"counts":{"x":1,"y":"2"}}""")),
        ("services", []),
        ("no_service", []),
        ("void", []),
        ("task", []),
        ("value_task", []),
        ("no_task", []),
        ("content", []),
        ("contents", []),
        ("any_object", Json("""{"isText":true}""")),
        ("any_object", Json("""{"isText":false}""")),
        ("element", []),
        ("structured_text", []),
        ("structured_blocks", []),
        ("order", Json("""{"order":{"name":"é\u00e9 \"q\"","count":3}}""")),
        ("order", Json("""{"order":{"name":"a","count":"3","lines":[],"x":{"y":1}},"most":1,"amount":1.50,"kind":"Two","more":[{}]}""")),
        ("order", Json("""{"order":{"name":"a","count":1,"lines":[{"number":1,"kind":"One"}],"rest":{"b":{"number":2}}}}""")),
        ("structured_order", Json("""{"order":{"name":"a","count":9,"lines":[{"number":1}]}}""")),
        // Arguments that are held to their schema here, which the MCP SDK alone does not do.
        ("order", Json("""{"order":{"count":3}}""")),
        ("order", Json("""{"order":{"name":"a","count":10}}""")),
        ("order", Json("""{"order":{"NAME":"a","count":1}}""")),
        ("order", Json("""{"order":{"name":"a","COUNT":4,"count":1}}""")),
        ("order", Json("""{"order":{"name":"a","count":1,"lines":[{"number":1},{"number":"x"}]}}""")),
        ("order", Json("""{"order":{"name":"a","count":1,"lines":[{"number":1,"kind":"one"}]}}""")),
        ("order", Json("""{"order":{"name":"a","count":1,"lines":[{"number":99999999999}]}}""")),
        ("order", Json("""{"order":{"name":"a","count":1,"rest":{"x":{"kind":"One"}}}}""")),
        ("order", Json("""{"order":{"name":"a","count":1},"kind":1}""")),
        ("order", Json("""{"order":{"name":"a","count":1},"amount":"much"}""")),
        ("order", Json("""{"order":"{\"name\":\"a\",\"count\":1}"}""")),
    ];

    public static IReadOnlyList<DifferenceRequest> All { get; } =
    [
        .. Calls.SelectMany(
            (call, i) =>
                new[]
                {
                    Old($"2025 {i} {call.Tool}", Call(call.Tool, call.Arguments)),
                    New($"2026 {i} {call.Tool}", Call(call.Tool, call.Arguments, Meta()), call.Tool),
                }
        ),
        .. Versions(),
        .. Ids(),
        .. Lists(),
        .. Accepts(),
        .. Bodies(),
        .. Metas(),
        .. ContradictingHeaders(),
        .. Others(),
        .. Sizes(),
    ];

    /// <summary>Requests in a session of a revision before 2026-07-28.</summary>
    public static IEnumerable<DifferenceRequest> InSession(string version) =>
        [
            .. Calls.Select((call, i) => Old($"{i} {call.Tool}", Call(call.Tool, call.Arguments), ("MCP-Protocol-Version", version))),
            .. Calls.Select(
                (call, i) => Old($"{i} {call.Tool}, no version", Call(call.Tool, call.Arguments), ("MCP-Protocol-Version", null))
            ),
            Old("list", Message("tools/list")),
            Old("list, no version", Message("tools/list"), ("MCP-Protocol-Version", null)),
            .. from other in new[] { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2099-01-01" }
            select Old($"version {other}", Call("echo", Hi()), ("MCP-Protocol-Version", other)),
            .. from id in new[] { "\"s\"", "9007199254740993", "1.5", "-0", "\"\\u0061\"" }
            select Old(
                $"id {id}",
                Call("echo", Hi()).Replace("\"id\":1", $"\"id\":{id}", StringComparison.Ordinal),
                ("MCP-Protocol-Version", version)
            ),
            Old("ping", Message("ping")),
            Old("initialized", """{"jsonrpc":"2.0","method":"notifications/initialized"}"""),
            Old("set level", Message("logging/setLevel", new() { ["level"] = "debug" }), ("MCP-Protocol-Version", version)),
            Old("plain JSON", Call("echo", Hi()), ("Accept", "application/json"), ("MCP-Protocol-Version", version)),
        ];

    private static IEnumerable<DifferenceRequest> Versions()
    {
        foreach (var version in new[] { "2024-11-05", "2025-03-26", "2025-06-18", null, "2099-01-01", "", "2025-11-25 " })
        {
            foreach (var tool in new[] { "echo", "client", "structured_number" })
            {
                yield return Old(
                    $"version '{version ?? "none"}' {tool}",
                    Call(tool, new() { ["message"] = "hi" }),
                    ("MCP-Protocol-Version", version)
                );
            }
        }

        yield return Old("version 'none' list", Message("tools/list"), ("MCP-Protocol-Version", null));
    }

    private static IEnumerable<DifferenceRequest> Ids()
    {
        foreach (
            var id in new[]
            {
                "\"s\"",
                "\"\"",
                "0",
                "-1",
                "9007199254740993",
                "9223372036854775808",
                "1.5",
                "1.0",
                "1e2",
                "null",
                "true",
                "[1]",
                "{}",
            }
        )
        {
            yield return Old($"id {id}", Call("echo", Hi()).Replace("\"id\":1", $"\"id\":{id}", StringComparison.Ordinal));
            yield return New(
                $"2026 id {id}",
                Call("echo", Hi(), Meta()).Replace("\"id\":1", $"\"id\":{id}", StringComparison.Ordinal),
                "echo"
            );
        }
    }

    private static IEnumerable<DifferenceRequest> Lists()
    {
        yield return Old("list", Message("tools/list"));
        yield return Old("list, empty params", Message("tools/list", []));
        yield return Old("list, null params", """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}""");
        yield return Old("list, cursor", Message("tools/list", new() { ["cursor"] = "x" }));
        yield return Old("list, number as cursor", Message("tools/list", new() { ["cursor"] = 1 }));
        yield return New("2026 list", Message("tools/list", new() { ["_meta"] = Meta() }), null, "tools/list");
        yield return New("2026 list, cursor", Message("tools/list", new() { ["_meta"] = Meta(), ["cursor"] = "x" }), null, "tools/list");
        yield return New("2026 list, a name too", Message("tools/list", new() { ["_meta"] = Meta() }), "echo", "tools/list");
        yield return New("2026 list, no meta", Message("tools/list"), null, "tools/list");
    }

    private static IEnumerable<DifferenceRequest> Accepts()
    {
        foreach (
            var accept in new[]
            {
                "application/json",
                "text/event-stream",
                "*/*",
                "application/*",
                "text/event-stream, application/json",
                "application/json;q=0.5, text/event-stream",
                "application/json,text/event-stream",
                "APPLICATION/JSON, Text/Event-Stream",
                "application/json; charset=utf-8, text/event-stream",
                "application/json, text/event-streams",
                "text/html",
                "",
                null,
                "application/json, */*",
                "nonsense",
            }
        )
        {
            yield return Old($"accept '{accept ?? "none"}'", Call("echo", Hi()), ("Accept", accept));
            yield return New($"2026 accept '{accept ?? "none"}'", Call("echo", Hi(), Meta()), "echo", "tools/call", ("Accept", accept));
        }

        yield return Old(
            "plain JSON, progress",
            Call("progress", new() { ["n"] = 3 }, new() { ["progressToken"] = "p" }),
            ("Accept", "application/json")
        );
        yield return New(
            "2026 plain JSON, progress",
            Call("progress", new() { ["n"] = 3 }, Meta(("progressToken", "p"))),
            "progress",
            "tools/call",
            ("Accept", "application/json")
        );
        yield return Old("plain JSON, unicode", Call("unicode"), ("Accept", "application/json"));
        yield return Old("plain JSON, error", Call("invalid_params"), ("Accept", "application/json"));
        yield return New(
            "2026 plain JSON, error",
            Call("method_not_found", [], Meta()),
            "method_not_found",
            "tools/call",
            ("Accept", "application/json")
        );
        yield return Old("plain JSON, big", Call("big"), ("Accept", "application/json"));
        foreach (
            var type in new[]
            {
                "application/json; charset=utf-8",
                "application/json;charset=UTF-8",
                "application/json; charset=utf-16",
                "application/vnd.api+json",
            }
        )
        {
            yield return Old($"content type {type}", Call("echo", Hi()), ("Content-Type", type));
        }
    }

    private static IEnumerable<DifferenceRequest> Bodies()
    {
        foreach (
            var (name, body) in new[]
            {
                ("garbage", "{"),
                ("empty", ""),
                ("null", "null"),
                ("array", $"[{Call("echo", Hi())}]"),
                ("trailing text", Call("echo", Hi()) + " x"),
                ("two messages", Call("echo", Hi()) + Call("echo", Hi())),
                ("space around", $" \n{Call("echo", Hi())}\n "),
                ("byte order mark", "\ufeff" + Call("echo", Hi())),
                ("comment", "/*c*/" + Call("echo", Hi())),
                ("name twice", Raw("""{"name":"no_such_tool","name":"echo","arguments":{"message":"a"}}""")),
                ("argument's member twice", Raw("""{"name":"order","arguments":{"order":{"name":"a","name":"b","count":1}}}""")),
                ("argument's unknown member twice", Raw("""{"name":"order","arguments":{"order":{"name":"a","count":1,"x":1,"x":2}}}""")),
                ("twice in what is unknown", Raw("""{"name":"order","arguments":{"order":{"name":"a","count":1},"y":[{"x":1,"x":2}]}}""")),
                ("twice in anything", Raw("""{"name":"any_values","arguments":{"any":[{"x":1,"x":2}]}}""")),
                ("twice in a dictionary", Raw("""{"name":"any_values","arguments":{"any":1,"counts":{"x":1,"x":2}}}""")),
                ("argument twice", Raw("""{"name":"echo","arguments":{"message":"a","message":"b"}}""")),
                (
                    "method twice",
                    """{"jsonrpc":"2.0","id":1"""
                        + ""","method":"tools/list","method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""
                ),
                ("Name", Raw("""{"Name":"echo","arguments":{"message":"a"}}""")),
                ("no params", """{"jsonrpc":"2.0","id":1,"method":"tools/call"}"""),
                ("params array", Raw("[1]")),
                ("params null", Raw("null")),
                ("params text", Raw("\"x\"")),
                ("name number", Raw("""{"name":5}""")),
                ("name null", Raw("""{"name":null}""")),
                ("no name", Raw("""{"arguments":{}}""")),
                ("arguments array", Raw("""{"name":"echo","arguments":[1]}""")),
                ("arguments null", Raw("""{"name":"echo","arguments":null}""")),
                ("no jsonrpc", """{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""),
                ("jsonrpc 1.0", """{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""),
                ("jsonrpc number", """{"jsonrpc":2.0,"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""),
                ("notification", """{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""),
                (
                    "member that there is not",
                    """{"jsonrpc":"2.0","id":1,"x":{"y":1},"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""
                ),
                (
                    "result too",
                    """{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""
                ),
                (
                    "error too",
                    """{"jsonrpc":"2.0","id":1,"error":5,"method":"tools/call","params":{"name":"echo","arguments":{"message":"a"}}}"""
                ),
                ("parameter that there is not", Raw("""{"name":"echo","arguments":{"message":"a"},"x":1}""")),
                ("task", Raw("""{"name":"echo","arguments":{"message":"a"},"task":{"ttl":1}}""")),
                ("request state", Raw("""{"name":"ask_input","requestState":"st","inputResponses":{"a":{"action":"accept"}}}""")),
                (
                    "deep",
                    Raw(
                        """{"name":"echo","arguments":{"message":DEEP}}""".Replace(
                            "DEEP",
                            new string('[', 59) + new string(']', 59),
                            StringComparison.Ordinal
                        )
                    )
                ),
                (
                    "escaped names",
                    """{"jsonrpc":"2.0","id":1,"\u006dethod":"tools/call","params":{"n\u0061me":"echo","arguments":{"message":"a"}}}"""
                ),
            }
        )
        {
            yield return Old(name, body);
        }
    }

    private static IEnumerable<DifferenceRequest> Metas()
    {
        yield return Old("meta null", Raw("""{"name":"client","_meta":null}"""));
        yield return Old("meta text", Raw("""{"name":"client","_meta":"x"}"""));
        yield return Old("meta of its own", Call("client", [], new() { ["a"] = 1, ["progressToken"] = 5 }));
        yield return Old(
            "meta trace",
            Call("client", [], new() { ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" })
        );
        yield return Old("progress", Call("progress", new() { ["n"] = 3 }, new() { ["progressToken"] = "p" }));
        yield return New("2026 progress", Call("progress", new() { ["n"] = 3 }, Meta(("progressToken", 7))), "progress");
        yield return Old("2025 with meta of 2026", Call("client", [], Meta()));
        yield return Old("2025 with a log level", Call("client", [], new() { [Prefix + "logLevel"] = "debug" }));
        yield return Old(
            "2025 with client info",
            Call(
                "client",
                [],
                new()
                {
                    [Prefix + "clientInfo"] = new JsonObject { ["name"] = "cl", ["version"] = "1" },
                }
            )
        );
        yield return Old("no version with meta of 2026", Call("client", [], Meta()), ("MCP-Protocol-Version", null));
        yield return New("2026 without meta", Call("client"), "client");
        yield return New("2026 without capabilities", Call("client", [], Meta((Prefix + "clientCapabilities", null))), "client");
        yield return New("2026 capabilities text", Call("client", [], Meta((Prefix + "clientCapabilities", "x"))), "client");
        yield return New(
            "2026 capability number",
            Call("client", [], Meta((Prefix + "clientCapabilities", new JsonObject { ["elicitation"] = 5 }))),
            "client"
        );
        yield return New("2026 without client info", Call("client", [], Meta((Prefix + "clientInfo", null))), "client");
        yield return New(
            "2026 client info without name",
            Call("client", [], Meta((Prefix + "clientInfo", new JsonObject { ["x"] = 1 }))),
            "client"
        );
        yield return New(
            "2026 another client",
            Call("client", [], Meta((Prefix + "clientInfo", new JsonObject { ["name"] = "another", ["version"] = "2" }))),
            "client"
        );
        yield return New("2026 no client again", Call("client", [], Meta((Prefix + "clientInfo", null))), "client");
        yield return New("2026 meta of another version", Call("client", [], Meta((Prefix + "protocolVersion", "2025-11-25"))), "client");
        yield return New("2026 version number", Call("client", [], Meta((Prefix + "protocolVersion", 2026))), "client");
        yield return New("2026 log level", Call("client", [], Meta((Prefix + "logLevel", "debug"))), "client");
        yield return New("2026 bad log level", Call("client", [], Meta((Prefix + "logLevel", "zzz"))), "client");
        yield return New("2026 reserved and unknown", Call("client", [], Meta((Prefix + "future", 1))), "client");
    }

    private static IEnumerable<DifferenceRequest> ContradictingHeaders()
    {
        yield return New("2026 another name", Call("echo", Hi(), Meta()), "client");
        yield return New("2026 no name", Call("echo", Hi(), Meta()), null);
        yield return New("2026 empty name", Call("echo", Hi(), Meta()), "");
        yield return New("2026 name in base64", Call("echo", Hi(), Meta()), "=?base64?ZWNobw==?=");
        yield return New("2026 name in bad base64", Call("echo", Hi(), Meta()), "=?base64?*?=");
        yield return New("2026 name in another case", Call("echo", Hi(), Meta()), "Echo");
        yield return New("2026 name with spaces", Call("echo", Hi(), Meta()), " echo ");
        yield return New("2026 another method", Call("echo", Hi(), Meta()), "echo", "tools/list");
        yield return New("2026 method in another case", Call("echo", Hi(), Meta()), "echo", "Tools/Call");
        yield return New("2026 no method", Call("echo", Hi(), Meta()), "echo", null);
        yield return New("2026 parameter header", Call("echo", Hi(), Meta()), "echo", "tools/call", ("Mcp-Param-Message", "another"));
        yield return New("2026 event id", Call("echo", Hi(), Meta()), "echo", "tools/call", ("Last-Event-ID", "5"));
        yield return Old("2025 with headers of 2026", Call("echo", Hi()), ("Mcp-Method", "tools/list"), ("Mcp-Name", "client"));
        yield return Old("2025 event id", Call("echo", Hi()), ("Last-Event-ID", "5"));
        yield return Old("2025 body, header of 2026", Call("echo", Hi()), ("MCP-Protocol-Version", "2026-07-28"));
        yield return Old("content encoding", Call("echo", Hi()), ("Content-Encoding", "identity"));
        yield return Old("foreign session", Call("echo", Hi()), ("Mcp-Session-Id", "x"));
        yield return New("2026 foreign session", Call("echo", Hi(), Meta()), "echo", "tools/call", ("Mcp-Session-Id", "x"));
    }

    private static IEnumerable<DifferenceRequest> Others()
    {
        yield return Old("ping", Message("ping"));
        yield return Old("unknown method", Message("no/such"));
        yield return Old("set level", Message("logging/setLevel", new() { ["level"] = "debug" }));
        yield return Old("after set level", Call("client"));
        yield return Old("cancel", """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");
        yield return Old("initialized", """{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        yield return Old("answer", """{"jsonrpc":"2.0","id":1,"result":{}}""");
        yield return Old("discover", Message("server/discover"));
        yield return Old("prompts", Message("prompts/list"));
        yield return New("2026 ping", Message("ping", new() { ["_meta"] = Meta() }), null, "ping");
        yield return New("2026 discover", Message("server/discover", new() { ["_meta"] = Meta() }), null, "server/discover");
        yield return New(
            "2026 listen",
            Message(
                "subscriptions/listen",
                new()
                {
                    ["_meta"] = Meta(),
                    ["notifications"] = new JsonObject { ["toolsListChanged"] = true },
                }
            ),
            null,
            "subscriptions/listen"
        );
        yield return New(
            "2026 cancel",
            """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""",
            null,
            "notifications/cancelled"
        );
        yield return New("2026 initialize", Message("initialize", new() { ["_meta"] = Meta() }), null, "initialize");
        yield return New(
            "2026 request state",
            Call("ask_input", [], Meta())
                .Replace(
                    "\"arguments\":{}",
                    "\"requestState\":\"st\",\"inputResponses\":{\"a\":{\"action\":\"accept\"}}",
                    StringComparison.Ordinal
                ),
            "ask_input"
        );
    }

    private static IEnumerable<DifferenceRequest> Sizes()
    {
        foreach (var length in new[] { 3_000, 20_000, 100_000, 2_000_000 })
        {
            yield return Old($"{length} characters", Call("length", new() { ["text"] = new string('y', length) }));
            yield return Old($"{length} characters, chunked", Call("length", new() { ["text"] = new string('y', length) })) with
            {
                IsChunked = true,
            };
        }

        yield return Old("chunked", Call("echo", Hi())) with
        {
            IsChunked = true,
        };
        yield return Old("chunked list", Message("tools/list")) with
        {
            IsChunked = true,
        };
        yield return New("2026 chunked", Call("echo", Hi(), Meta()), "echo") with
        {
            IsChunked = true,
        };
        yield return New("2026 chunked, plain JSON", Call("echo", Hi(), Meta()), "echo", "tools/call", ("Accept", "application/json")) with
        {
            IsChunked = true,
        };
    }

    private static JsonObject Json(string json) => JsonNode.Parse(json)!.AsObject();

    private static JsonObject Hi() => new() { ["message"] = "hi" };

    private static JsonObject Meta(params (string Name, JsonNode? Value)[] changes)
    {
        var meta = new JsonObject
        {
            [Prefix + "protocolVersion"] = "2026-07-28",
            [Prefix + "clientInfo"] = new JsonObject { ["name"] = "cl", ["version"] = "1" },
            [Prefix + "clientCapabilities"] = new JsonObject { ["elicitation"] = new JsonObject() },
        };
        foreach (var (name, value) in changes)
        {
            meta.Remove(name);
            if (value is not null)
            {
                meta[name] = value;
            }
        }

        return meta;
    }

    private static string Message(string method, JsonObject? parameters = null)
    {
        var message = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["method"] = method,
        };
        if (parameters is not null)
        {
            message["params"] = parameters;
        }

        return message.ToJsonString();
    }

    private static string Call(string tool, JsonObject? arguments = null, JsonObject? meta = null)
    {
        var parameters = new JsonObject { ["name"] = tool, ["arguments"] = arguments?.DeepClone() ?? new JsonObject() };
        if (meta is not null)
        {
            parameters["_meta"] = meta;
        }

        return Message("tools/call", parameters);
    }

    private static string Raw(string parameters) => $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{parameters}}}""";

    private static DifferenceRequest Old(string name, string body, params (string Name, string? Value)[] headers) =>
        new(
            name,
            Encoding.UTF8.GetBytes(body),
            With(
                new()
                {
                    ["Content-Type"] = "application/json",
                    ["Accept"] = Both,
                    ["MCP-Protocol-Version"] = "2025-11-25",
                },
                headers
            )
        );

    private static DifferenceRequest New(
        string name,
        string body,
        string? tool,
        string? method = "tools/call",
        params (string Name, string? Value)[] headers
    ) =>
        new(
            name,
            Encoding.UTF8.GetBytes(body),
            With(
                new()
                {
                    ["Content-Type"] = "application/json",
                    ["Accept"] = Both,
                    ["MCP-Protocol-Version"] = "2026-07-28",
                    ["Mcp-Method"] = method,
                    ["Mcp-Name"] = tool,
                },
                headers
            )
        );

    private static Dictionary<string, string?> With(Dictionary<string, string?> headers, (string Name, string? Value)[] changes)
    {
        foreach (var (name, value) in changes)
        {
            headers[name] = value;
        }

        return headers;
    }
}
