using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Nothing of one call is seen in another, although the calls of many tenants and callers share a server.</summary>
[Tier(Tier.Server)]
public sealed class InterleavedCallsTests
{
    private const int Calls = 10_000;
    private const int AtOnce = 64;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:limits:rateLimit"] = "1000000",
            ["Tenancy:Tenants:1:limits:rateLimit"] = "1000000",
            ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1000",
            ["Tenancy:Tenants:1:limits:maxConcurrentCalls"] = "1000",
            ["Tenancy:Tenants:1:platform"] = "publisher",
            ["Tenancy:Tenants:0:principals:1:name"] = "another",
            ["Tenancy:Tenants:0:principals:1:token"] = "acme.another",
            ["Tenancy:Tenants:1:principals:1:name"] = "another",
            ["Tenancy:Tenants:1:principals:1:token"] = "globex.another",
        };

    /// <summary>What a call is: sent before 2026-07-28 without a session or in one, or after.</summary>
    private enum Kind
    {
        Sessionless,
        InSession,
        Modern,
    }

    [Fact]
    public async Task Of_ten_thousand_interleaved_calls_of_both_ways_none_sees_another()
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var server = await StartAsync(log);
        var callers = new List<Caller>();
        foreach (
            var (tenant, token) in new[]
            {
                ("acme", McpCalls.Acme),
                ("acme", "acme.another"),
                ("globex", McpCalls.Globex),
                ("globex", "globex.another"),
            }
        )
        {
            var identity = (await server.CallAsync(tenant, token, "whoami"))["content"]![0]!["text"]!.ToString().Split('|')[1];
            callers.Add(new(tenant, token, identity, await server.InitializeAsync(tenant, token)));
        }

        Assert.Equal(4, callers.Select(caller => caller.Identity).Distinct().Count());
        var calls = Enumerable.Range(0, Calls).Select(i => new Call(i, callers[i % 4])).ToArray();
        var begun = DateTime.UtcNow;
        var (next, answered, aborted) = (-1, 0, 0);
        await Task.WhenAll(
            Enumerable
                .Range(0, AtOnce)
                .Select(_ =>
                    Task.Run(
                        async () =>
                        {
                            while (Interlocked.Increment(ref next) is < Calls and var i)
                            {
                                Interlocked.Add(ref await CallAsync(server, calls[i]) ? ref answered : ref aborted, 1);
                            }
                        },
                        Token
                    )
                )
        );

        // An aborted call may have been answered before it noticed.
        Assert.Equal(Calls, answered + aborted);
        Assert.InRange(aborted, Calls / 10, calls.Count(call => call.Aborts));
        var marks = server.Services.GetRequiredService<MarkLog>();
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref marks.Begun) == Volatile.Read(ref marks.Ended)));
        Assert.Equal([], marks.Wrong.Take(20));
        Assert.True(marks.Begun > answered);

        // Some of those that were aborted did not get so far; and a session's call goes to the SDK once a minute, whatever it is.
        var ofSdk = calls.Where(call => !call.IsDirect).ToArray();
        Assert.InRange(
            log.Entries.Count(entry => entry.Text.Contains("'tools/call' request handler called", StringComparison.Ordinal)),
            ofSdk.Count(call => !call.Aborts),
            ofSdk.Length + (callers.Count * (1 + (int)(DateTime.UtcNow - begun).TotalMinutes))
        );
        Assert.InRange(ofSdk.Length, Calls / 3, Calls / 2);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Generation.Stateless)]
    public async Task What_a_tool_leaves_behind_sees_no_other_call(Generation? generation) =>
        Assert.Equal(
            "nothing|ObjectDisposedException|ObjectDisposedException|InvalidOperationException|InvalidOperationException|True",
            await LeaveBehindAsync("leave_behind", generation, hasSession: false)
        );

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData(Generation.Stateless, false)]
    public async Task What_a_plain_tool_leaves_behind_sees_no_other_call(Generation? generation, bool hasSession) =>
        Assert.Equal(
            "nothing|InvalidOperationException|InvalidOperationException|InvalidOperationException|True",
            await LeaveBehindAsync("leave_behind_plain", generation, hasSession)
        );

    private static async Task<string> LeaveBehindAsync(string tool, Generation? generation, bool hasSession)
    {
        await using var server = await StartAsync();
        var leftover = server.Services.GetRequiredService<MarkTools.Leftover>();
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        await server.CallAsync("acme", McpCalls.Acme, tool, generation: generation, sessionId: session);

        // The same connection, and so the same HttpContext, serves another tenant now.
        var other = server.CallAsync(
            "globex",
            McpCalls.Globex,
            "mark",
            new()
            {
                ["tag"] = "t",
                ["turns"] = 60,
                ["obeys"] = true,
            },
            generation: generation
        );
        leftover.MayLook.SetResult();
        var seen = await leftover.Seen!;
        await other;
        return seen;
    }

    private static async Task<bool> CallAsync(TenancyServer server, Call call)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        using var request = Request(server, call);
        if (!call.Aborts)
        {
            using var response = await server.Client.SendAsync(request, limit.Token);
            Check(call, (int)response.StatusCode, await response.Content.ReadAsStringAsync(limit.Token));
            return true;
        }

        var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseContentRead, limit.Token);
        if (call.Number % 7 != 0)
        {
            await Task.WhenAny(sending, Task.Delay(call.Number % 3, Token));
        }

        await limit.CancelAsync();
        try
        {
            using var response = await sending;
            Check(call, (int)response.StatusCode, await response.Content.ReadAsStringAsync(Token));
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static HttpRequestMessage Request(TenancyServer server, Call call)
    {
        var caller = call.Caller;
        var meta = new JsonObject();
        if (call.HasProgress)
        {
            meta["progressToken"] = "p";
        }

        if (call.Kind == Kind.Modern)
        {
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
            meta["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = caller.Identity, ["version"] = "1" };
            meta["io.modelcontextprotocol/clientCapabilities"] = new JsonObject();
        }

        var body = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = call.Id,
            ["method"] = "tools/call",
            ["params"] = new JsonObject
            {
                ["name"] = call.Tool,
                ["arguments"] = call.Arguments(),
                ["_meta"] = meta,
            },
        };
        var request = McpCalls.Post(
            server.Port,
            Way.Path,
            caller.Tenant,
            caller.Token,
            body.ToJsonString(),
            call.Kind == Kind.Modern ? Generation.Stateless : null,
            call.Kind == Kind.InSession ? caller.Session : null,
            call.IsJson ? "application/json" : "application/json, text/event-stream"
        );
        request.Headers.Add(MarkTools.TagHeader, call.Tag);
        return request;
    }

    private static void Check(Call call, int status, string body)
    {
        Assert.True(status == 200, $"{call.Tag}: {status} {body}");
        var messages = (
            call.IsJson
                ? [body]
                : body.Split('\n')
                    .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
                    .Select(line => line["data: ".Length..])
        )
            .Select(text => JsonNode.Parse(text)!)
            .ToArray();
        var result = messages[^1]["result"];
        Assert.Equal(call.Answer, (result?["structuredContent"]?["mark"] ?? result?["content"]?[0]?["text"])?.ToString() ?? body);
        Assert.Equal(call.Id, (int)messages[^1]["id"]!);
        Assert.Equal(call is { Tool: "mark", HasProgress: true, IsJson: false } ? call.Turns : 0, messages.Length - 1);
        Assert.All(messages[..^1], message => Assert.Equal(call.Answer, message["params"]!["message"]!.ToString()));
    }

    private static Task<TenancyServer> StartAsync(LogRecorder? log = null) =>
        TenancyServer.StartAsync(settings: Settings, services: services =>
        {
            services.AddHttpContextAccessor();
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<MarkTools>()));
            services
                .AddSingleton<MarkLog>()
                .AddSingleton<MarkTools.Leftover>()
                .AddScoped<ScopeMark>()
                .AddSingleton<IAccountResolver, MarkAccounts>();
            if (log is not null)
            {
                services
                    .AddSingleton<ILoggerProvider>(log)
                    .AddLogging(logging =>
                        logging
                            .AddFilter<LogRecorder>(category: null, LogLevel.Warning)
                            .AddFilter<LogRecorder>("ModelContextProtocol.Server", LogLevel.Information)
                    );
            }
        });

    private sealed record Caller(string Tenant, string Token, string Identity, string Session);

    /// <summary>One of the calls: all that it is follows from its number, and no two of these are one rhythm.</summary>
    private sealed record Call(int Number, Caller Caller)
    {
        private static readonly string[] Tools = ["mark", "mark_plain", "mark_account", "mark_write"];

        public string Tag => $"call-{Number}";

        public Kind Kind => (Kind)(Number / 4 % 3);

        public string Tool => Tools[Number / 12 % 4];

        public bool Aborts => Number / 48 % 3 == 0;

        // A handler that takes no notice of its client's going is still at work then.
        public bool Obeys => Number / 144 % 2 == 0;

        public int Turns => Aborts && !Obeys ? 12 : Number % 4;

        public bool HasProgress => Number % 5 == 0;

        public bool IsJson => Number % 7 == 0;

        // The same few ids for everybody.
        public int Id => Number / 4 % 2;

        public bool IsDirect => Tool != "mark" && !HasProgress;

        public string Answer =>
            Tool == "mark" ? $"{User}|{Product}|{Caller.Tenant}|{Tag}|{User}|{User}|{Client}|{Tag}" : $"{Expected}|{Tag}";

        private string User => $"{Caller.Tenant}|{Caller.Identity}";

        private string Product => Caller.Tenant == "acme" ? "acme-banner" : "globex-shelf";

        private string Expected =>
            $"{User}|{Product}|{(Tool == "mark_plain" ? Caller.Identity : $"{Caller.Tenant}/{Caller.Identity}/{Tag}")}";

        private string Client =>
            Kind switch
            {
                Kind.Sessionless => "",
                Kind.InSession => "test",
                _ => Caller.Identity,
            };

        public JsonObject Arguments()
        {
            var arguments = new JsonObject
            {
                ["tag"] = Tag,
                ["turns"] = Turns,
                ["obeys"] = Obeys,
            };
            if (Tool != "mark")
            {
                arguments["expected"] = Expected;
            }

            if (Tool is "mark_account" or "mark_write")
            {
                arguments["account"] = new JsonObject { ["account_id"] = Tag };
            }

            if (Tool == "mark_write")
            {
                arguments["idempotency_key"] = $"key-of-a-mark-{Tag}";
            }

            return arguments;
        }
    }
}
