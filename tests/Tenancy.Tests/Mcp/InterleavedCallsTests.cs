using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Nothing of one call is seen in another, although the calls of many tenants and callers share a server.</summary>
public sealed class InterleavedCallsTests
{
    private const int Calls = 10_000;
    private const int AtOnce = 64;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> Settings { get; } = new(TenancyServer.DefaultSettings)
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
    public async Task Of_ten_thousand_interleaved_calls_no_answer_carries_a_foreign_mark()
    {
        await using var server = await StartAsync();
        var callers = new List<Caller>();
        foreach (var (tenant, token) in new[] { ("acme", McpCalls.Acme), ("acme", "acme.another"), ("globex", McpCalls.Globex), ("globex", "globex.another") })
        {
            var identity = (await server.CallAsync(tenant, token, "whoami"))["content"]![0]!["text"]!.ToString().Split('|')[1];
            callers.Add(new(tenant, token, identity, await server.InitializeAsync(tenant, token)));
        }

        Assert.Equal(4, callers.Select(caller => caller.Identity).Distinct().Count());
        var (next, answered, aborted) = (-1, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(
            async () =>
            {
                while (Interlocked.Increment(ref next) is < Calls and var i)
                {
                    Interlocked.Add(ref await CallAsync(server, callers[i % 4], i) ? ref answered : ref aborted, 1);
                }
            },
            Token)));

        // An aborted call may have been answered before it noticed.
        Assert.Equal(Calls, answered + aborted);
        Assert.InRange(aborted, Calls / 10, Enumerable.Range(0, Calls).Count(Aborts));
        var log = server.Services.GetRequiredService<MarkLog>();
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref log.Begun) == Volatile.Read(ref log.Ended)));
        Assert.Equal([], log.Wrong);
        Assert.True(log.Begun >= answered);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Generation.Stateless)]
    public async Task What_a_tool_leaves_behind_sees_no_other_call(Generation? generation)
    {
        await using var server = await StartAsync();
        var leftover = server.Services.GetRequiredService<MarkTools.Leftover>();
        await server.CallAsync("acme", McpCalls.Acme, "leave_behind", generation: generation);

        // The same connection, and so the same HttpContext, serves another tenant now.
        var other = server.CallAsync("globex", McpCalls.Globex, "mark", new() { ["tag"] = "t", ["turns"] = 60, ["obeys"] = true }, generation: generation);
        leftover.MayLook.SetResult();
        Assert.Equal("nothing|ObjectDisposedException|ObjectDisposedException|InvalidOperationException|InvalidOperationException|True", await leftover.Seen!);
        await other;
    }

    private static async Task<bool> CallAsync(TenancyServer server, Caller caller, int i)
    {
        var (kind, aborts, hasProgress, tag) = ((Kind)(i / 4 % 3), Aborts(i), i % 5 == 0, $"call-{i}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        using var request = Request(server, caller, kind, i, tag, hasProgress);
        if (!aborts)
        {
            using var response = await server.Client.SendAsync(request, limit.Token);
            Check(caller, kind, i, tag, hasProgress, (int)response.StatusCode, await response.Content.ReadAsStringAsync(limit.Token));
            return true;
        }

        var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseContentRead, limit.Token);
        if (i % 4 != 0)
        {
            await Task.WhenAny(sending, Task.Delay(i % 3, Token));
        }

        await limit.CancelAsync();
        try
        {
            using var response = await sending;
            Check(caller, kind, i, tag, hasProgress, (int)response.StatusCode, await response.Content.ReadAsStringAsync(Token));
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static HttpRequestMessage Request(TenancyServer server, Caller caller, Kind kind, int i, string tag, bool hasProgress)
    {
        var meta = new JsonObject();
        if (hasProgress)
        {
            meta["progressToken"] = "p";
        }

        if (kind == Kind.Modern)
        {
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
            meta["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = caller.Identity, ["version"] = "1" };
            meta["io.modelcontextprotocol/clientCapabilities"] = new JsonObject();
        }

        // The same few ids for everybody.
        var body = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = Id(i),
            ["method"] = "tools/call",
            ["params"] = new JsonObject { ["name"] = "mark", ["arguments"] = new JsonObject { ["tag"] = tag, ["turns"] = Turns(i), ["obeys"] = Obeys(i) }, ["_meta"] = meta },
        };
        var request = McpCalls.Post(
            server.Port, Way.Path, caller.Tenant, caller.Token, body.ToJsonString(), kind == Kind.Modern ? Generation.Stateless : null, kind == Kind.InSession ? caller.Session : null, IsJson(i) ? "application/json" : "application/json, text/event-stream");
        request.Headers.Add(MarkTools.TagHeader, tag);
        return request;
    }

    private static bool Aborts(int i) => i / 12 % 3 == 0;

    private static bool Obeys(int i) => i / 36 % 2 == 0;

    // A handler that takes no notice of its client's going is still at work then.
    private static int Turns(int i) => Aborts(i) && !Obeys(i) ? 12 : i % 4;

    private static int Id(int i) => i / 4 % 2;

    private static bool IsJson(int i) => i % 7 == 0;

    private static void Check(Caller caller, Kind kind, int i, string tag, bool hasProgress, int status, string body)
    {
        Assert.True(status == 200, $"{tag}: {status} {body}");
        var user = $"{caller.Tenant}|{caller.Identity}";
        var client = kind switch
        {
            Kind.Sessionless => "",
            Kind.InSession => "test",
            _ => caller.Identity,
        };
        var expected = $"{user}|{(caller.Tenant == "acme" ? "acme-banner" : "globex-shelf")}|{caller.Tenant}|{tag}|{user}|{user}|{client}|{tag}";
        var messages = (IsJson(i) ? [body] : body.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line["data: ".Length..])).Select(text => JsonNode.Parse(text)!).ToArray();
        Assert.Equal(expected, messages[^1]["result"]?["content"]?[0]?["text"]?.ToString() ?? body);
        Assert.Equal(Id(i), (int)messages[^1]["id"]!);
        Assert.Equal(hasProgress && !IsJson(i) ? Turns(i) : 0, messages.Length - 1);
        Assert.All(messages[..^1], message => Assert.Equal(expected, message["params"]!["message"]!.ToString()));
    }

    private static Task<TenancyServer> StartAsync() => TenancyServer.StartAsync(settings: Settings, services: services => services
        .AddHttpContextAccessor()
        .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<MarkTools>()))
        .AddSingleton<MarkLog>()
        .AddSingleton<MarkTools.Leftover>()
        .AddScoped<ScopeMark>());

    private sealed record Caller(string Tenant, string Token, string Identity, string Session);
}
