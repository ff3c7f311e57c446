using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Mcp.Platforms;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A tool may have limits of its own. There is no way around them, and they cost nobody else anything.</summary>
[Tier(Tier.Process)]
public sealed class ToolLimitsTests
{
    private const string Second = "acme.second";
    private const string TwoOfWhoami = """{"limits":{"tools":{"whoami":{"rateLimit":2}}}}""";

    public enum Path
    {
        Direct,
        Modern,
        InSession,
        Sdk,
        SdkModern,
        SdkInSession,
    }

    public static TheoryData<Path> Paths => [.. Enum.GetValues<Path>()];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "second",
            ["Tenancy:Tenants:0:principals:1:token"] = Second,
        };

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_call_over_its_tools_limit_is_429_and_names_the_policy_whichever_way_it_goes(Path path)
    {
        await using var server = await StartAsync(TwoOfWhoami);
        var session = path is Path.InSession or Path.SdkInSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        for (var i = 1; i <= 2; i++)
        {
            using var allowed = await SendAsync(server, path, session);
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
            Assert.Equal("\"tenant\";q=1000;w=60, \"tool\";q=2;w=60", allowed.Headers.GetValues("RateLimit-Policy").Single());
            Assert.Matches($"^\"tenant\";r=[0-9]+;t=[0-9]+, \"tool\";r={2 - i};t=[0-9]+$", allowed.Headers.GetValues("RateLimit").Single());
        }

        using var refused = await SendAsync(server, path, session);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
        Assert.Matches("^\"tool\";r=0;t=[0-9]+$", refused.Headers.GetValues("RateLimit").Single());
        var answer = await McpCalls.ReadAsync(refused);
        Assert.Equal((1, -32029), ((int)answer["id"]!, (int)answer["error"]!["code"]!));
        Assert.Equal("RATE_LIMITED", answer["error"]!["data"]!["adcp_error"]!["code"]!.ToString());
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Of_a_burst_over_all_ways_exactly_the_allowed_number_passes(StoreKind store)
    {
        await using var server = await StartAsync("""{"limits":{"tools":{"whoami":{"rateLimit":20}}}}""", store);
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(i =>
                    i % 2 == 0 ? StatusAsync(server, (Path)(i / 2 % 6), session) : StatusAsync(server, Path.Direct, null, token: Second)
                )
        );
        Assert.Equal(20, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(40, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A_large_limit_of_a_tool_is_exact_too_although_most_calls_make_no_trip()
    {
        await using var server = await StartAsync("""{"limits":{"rateLimit":100000,"tools":{"whoami":{"rateLimit":300}}}}""");
        var statuses = new List<HttpStatusCode>();
        var start = DateTime.UtcNow;
        for (var i = 0; i < 12; i++)
        {
            statuses.AddRange(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => StatusAsync(server, Path.Direct))));
        }

        // Five come again each second.
        var most = 300 + (int)((DateTime.UtcNow - start).TotalSeconds * 5) + 1;
        Assert.InRange(statuses.Count(status => status == HttpStatusCode.OK), 250, most);
    }

    [Fact]
    public async Task One_caller_over_its_share_of_a_tool_leaves_the_others_and_other_tools_alone()
    {
        await using var server = await StartAsync("""{"limits":{"tools":{"whoami":{"rateLimit":3,"rateLimitPerCaller":2}}}}""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
        using (var refused = await SendAsync(server, Path.Direct))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.StartsWith("\"tool-caller\";r=0;", refused.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
        }

        // What was refused by one limit is counted against neither.
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, token: Second));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, token: Second));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, tool: "get_products"));
    }

    [Fact]
    public async Task Another_tenants_count_is_not_touched()
    {
        await using var server = await StartAsync(TwoOfWhoami);
        await ChangeAsync(server, "globex", TwoOfWhoami);
        for (var i = 0; i < 4; i++)
        {
            await StatusAsync(server);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, tenant: "globex", token: McpCalls.Globex));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, tenant: "globex", token: McpCalls.Globex));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, tenant: "globex", token: McpCalls.Globex));
    }

    [Fact]
    public async Task No_spelling_of_a_tools_name_runs_it_beyond_its_limit()
    {
        await using var server = await StartAsync(TwoOfWhoami);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));

        // JSON may write each letter in two ways.
        var plain = McpCalls.Call("whoami");
        foreach (var name in new[] { @"wh\u006fami", @"\u0077\u0068\u006f\u0061\u006d\u0069" })
        {
            using var escaped = await PostAsync(server, plain.Replace("whoami", name, StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.TooManyRequests, escaped.StatusCode);
        }

        foreach (
            var (from, to) in new[]
            {
                ("whoami", "WhoAmI"),
                ("whoami", "whoami "),
                ("whoami", " whoami"),
                ("whoami", @"whoami\u0000"),
                ("whoami", "ｗｈｏａｍｉ"),
                ("\"name\":\"whoami\"", "\"Name\":\"whoami\""),
                ("\"name\":\"whoami\"", "\"name\":\"get_products\",\"name\":\"whoami\""),
                ("\"params\":", "\"Params\":"),
                ("tools/call", "Tools/Call"),
                ("\"id\":1,", ""),
            }
        )
        {
            Assert.Contains(from, plain, StringComparison.Ordinal);
            using var other = await PostAsync(server, plain.Replace(from, to, StringComparison.Ordinal));
            var text = await other.Content.ReadAsStringAsync(Token);
            Assert.DoesNotContain("principal:", text, StringComparison.Ordinal);
        }

        // A head that names another tool than the message does.
        using var request = Modern("whoami");
        request.Headers.Remove("Mcp-Name");
        request.Headers.Add("Mcp-Name", "get_products");
        request.RequestUri = new(McpCalls.Url(server.Port, Way.Path, "acme"));
        using var twofold = await server.Client.SendAsync(request, Token);
        Assert.False(twofold.IsSuccessStatusCode);
    }

    [Fact]
    public async Task An_unknown_tool_is_answered_as_ever_and_spends_no_tools_limit()
    {
        await using var server = await StartAsync(TwoOfWhoami);
        for (var i = 0; i < 4; i++)
        {
            using var unknown = await PostAsync(server, McpCalls.Call("WHOAMI"));
            Assert.Equal(HttpStatusCode.OK, unknown.StatusCode);
            Assert.DoesNotContain("\"tool\"", unknown.Headers.GetValues("RateLimit-Policy").Single(), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
    }

    [Fact]
    public async Task A_stranger_spends_nothing_of_a_tool_that_callers_with_credentials_have()
    {
        await using var server = await StartAsync(
            """{"limits":{"tools":{"get_products":{"rateLimit":3,"rateLimitPerCaller":2},"whoami":{"rateLimit":1}}}}"""
        );
        var strangers = new List<HttpStatusCode>();
        foreach (var address in new[] { "203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.3" })
        {
            strangers.Add(await StatusAsync(server, token: null, tool: "get_products", address: address));
        }

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK, HttpStatusCode.TooManyRequests],
            strangers
        );
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, tool: "get_products"));

        // Nor of one that it may not call at all.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, token: null));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, token: "acme.wrong"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
    }

    [Fact]
    public async Task Who_is_refused_anyway_spends_nothing_of_a_tools_limit()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(Settings) { ["Tenancy:Tenants:0:principals:1:scopes:0"] = "mark" },
            services: services => services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<MarkedTools>()))
        );
        await ChangeAsync(server, "acme", """{"limits":{"tools":{"scoped_mark":{"rateLimit":1}}}}""");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, tool: "scoped_mark"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, tool: "scoped_mark"));
        using (
            var request = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                Second,
                McpCalls.Call("scoped_mark", generation: Generation.Stateless)
            )
        )
        {
            request.Headers.Add("MCP-Protocol-Version", "2099-01-01");
            using var unspoken = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.BadRequest, unspoken.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, token: Second, tool: "scoped_mark"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, token: Second, tool: "scoped_mark"));
    }

    [Fact]
    public async Task What_a_tools_limit_refuses_stays_counted_as_a_request()
    {
        await using var server = await StartAsync("""{"limits":{"rateLimit":4,"tools":{"whoami":{"rateLimit":1}}}}""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
        Assert.Equal("tool", await PolicyAsync(server));
        Assert.Equal("tool", await PolicyAsync(server));
        Assert.Equal("tool", await PolicyAsync(server));
        Assert.Equal("tenant", await PolicyAsync(server));
    }

    [Fact]
    public async Task While_the_store_is_away_a_tools_limit_still_holds_on_this_node()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis, settings: Settings);
        await ChangeAsync(server, "acme", """{"limits":{"tools":{"get_products":{"rateLimit":3}}}}""");
        await redis.StopAsync();
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++)
        {
            statuses.Add(await StatusAsync(server, token: null, tool: "get_products"));
        }

        Assert.Equal(3, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(2, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Theory]
    [InlineData("""{"get_prodcts":{}}""", "limits.tools.get_prodcts", "the platform 'publisher' has no such tool", "'get_products'")]
    [InlineData("""{"Whoami":{"rateLimit":1}}""", "limits.tools.Whoami", "no such tool", "'whoami'")]
    [InlineData("""{"whoami":{"rateLimit":0}}""", "limits.tools.whoami.rateLimit", "is 0", "1 to 60000000")]
    [InlineData("""{"who.ami":{}}""", "limits.tools['who.ami']", "no such tool", "'whoami'")]
    [InlineData("""{"who.ami":{"rateLimt":1}}""", "limits.tools['who.ami'].rateLimt", "no such field", "'rateLimit'")]
    [InlineData("""{"who.ami":{"rateLimt":null}}""", "limits.tools['who.ami'].rateLimt", "no such field", "'rateLimit'")]
    [InlineData("""{"whoami":{"rateLimt":1}}""", "limits.tools.whoami.rateLimt", "no such field", "'rateLimit'")]
    [InlineData("""{"whoami":{"rateLimt":null}}""", "limits.tools.whoami.rateLimt", "no such field", "'rateLimit'")]
    [InlineData("""{"whoami":[]}""", "limits.tools.whoami", "wrong type", "an object")]
    public async Task A_mistake_in_a_tools_limits_is_refused_and_named(string tools, string field, params string[] messages)
    {
        await using var server = await StartAsync(TwoOfWhoami);
        using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", $$"""{"limits":{"tools":{{tools}} } }""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var errors = (await McpCalls.ReadAsync(response))["errors"]!.AsObject();
        Assert.Equal([field], errors.Select(error => error.Key));
        Assert.All(messages, message => Assert.Contains(message, errors[field]![0]!.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Null_takes_a_tools_limit_out_of_a_tenant_and_is_no_limit_in_a_new_one()
    {
        await using var server = await StartAsync("""{"limits":{"tools":{"whoami":{"rateLimit":1},"get_products":{"rateLimit":9}}}}""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server));
        var changed = await ChangeAsync(server, "acme", """{"limits":{"tools":{"whoami":null}}}""");
        Assert.Equal("""{"get_products":{"rateLimit":9,"rateLimitPerCaller":null}}""", changed["limits"]!["tools"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server));

        using var created = await server.AdminAsync(HttpMethod.Post, "", """{"id":"other","limits":{"tools":{"whoami":null}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, created.StatusCode);
        Assert.Equal(
            "must be an object, or be left out",
            (await McpCalls.ReadAsync(created))["errors"]!["limits.tools.whoami"]![0]!.ToString()
        );
    }

    [Fact]
    public async Task The_defaults_of_all_tenants_may_limit_a_tool_and_a_tenant_of_a_platform_without_it_is_none_the_worse()
    {
        var settings = new Dictionary<string, string?>(Settings) { ["Tenancy:Defaults:Limits:tools:marked:rateLimit"] = "2" };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services.AddSingleton(
                new PlatformRegistration(
                    "marked",
                    typeof(object),
                    platform => platform.AddHandlers<MarkedTools>(),
                    (_, _) => Task.FromResult(new object())
                )
            )
        );
        using var read = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.Null((await McpCalls.ReadAsync(read))["limits"]!["tools"]?["marked"]);
        await ChangeAsync(server, "acme", """{"name":"still changeable"}""");
        var marked = await ChangeAsync(server, "", """{"id":"marks","platform":"marked"}""", HttpMethod.Post);
        Assert.Equal(2, (int)marked["limits"]!["tools"]!["marked"]!["rateLimit"]!);
    }

    [Theory]
    [InlineData("Tenancy:Defaults:Limits:tools:get_prodcts:rateLimit", "Tenancy:Defaults:Limits:tools:get_prodcts ", "get_products")]
    [InlineData("Tenancy:Tenants:0:limits:tools:who.ami:rateLimit", "Tenancy:Tenants:0:limits:tools:who.ami ", "whoami")]
    [InlineData("Tenancy:Tenants:0:limits:tools:WhoAmI:rateLimit", "Tenancy:Tenants:0:limits:tools:WhoAmI ", "whoami")]
    public async Task A_setting_that_limits_a_tool_which_is_not_there_stops_the_start(string setting, params string[] messages)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { [setting] = "2" };
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => TenancyServer.StartAsync(settings: settings));
        Assert.All(messages, message => Assert.Contains(message, exception.Message, StringComparison.Ordinal));
    }

    private sealed class MarkedTools
    {
        [McpServerTool(Name = "marked")]
        public static string Mark() => "mark";

        [McpServerTool(Name = "scoped_mark")]
        [RequireScope("mark")]
        public static string MarkWithScope() => "mark";
    }

    private static async Task<TenancyServer> StartAsync(string patch, StoreKind store = StoreKind.Embedded)
    {
        var server = await TenancyServer.StartAsync(store, Settings, services: services =>
            services.AddSingleton<IStartupFilter, ClientAddresses>()
        );
        await ChangeAsync(server, "acme", patch);
        return server;
    }

    private static async Task<JsonNode> ChangeAsync(TenancyServer server, string tenant, string patch, HttpMethod? method = null)
    {
        using var response = await server.AdminAsync(method ?? HttpMethod.Patch, tenant.Length > 0 ? "/" + tenant : "", patch);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        return await McpCalls.ReadAsync(response);
    }

    private static async Task<string> PolicyAsync(TenancyServer server)
    {
        using var response = await SendAsync(server, Path.Direct);
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        return response.Headers.GetValues("RateLimit").Single().Split('"')[1];
    }

    private static HttpRequestMessage Modern(string tool, int port = 1, string tenant = "acme", string? token = McpCalls.Acme) =>
        McpCalls.Post(
            port,
            Way.Path,
            tenant,
            token,
            McpCalls.Call(tool, generation: Generation.Stateless),
            Generation.Stateless,
            accept: "application/json, text/event-stream"
        );

    private static async Task<HttpResponseMessage> PostAsync(TenancyServer server, string message)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, message);
        return await server.Client.SendAsync(request, Token);
    }

    private static async Task<HttpStatusCode> StatusAsync(
        TenancyServer server,
        Path path = Path.Direct,
        string? session = null,
        string? token = McpCalls.Acme,
        string tool = "whoami",
        string tenant = "acme",
        string? address = null
    )
    {
        using var response = await SendAsync(server, path, session, token, tool, tenant, address);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TenancyServer server,
        Path path,
        string? session = null,
        string? token = McpCalls.Acme,
        string tool = "whoami",
        string tenant = "acme",
        string? address = null
    )
    {
        // With a progress token a call goes the SDK's way.
        var isSdk = path is Path.Sdk or Path.SdkModern or Path.SdkInSession;
        var isModern = path is Path.Modern or Path.SdkModern;
        var message = JsonNode.Parse(McpCalls.Call(tool, generation: isModern ? Generation.Stateless : null))!;
        if (isSdk)
        {
            var meta = message["params"]!["_meta"] as JsonObject ?? [];
            meta["progressToken"] = "p";
            message["params"]!["_meta"] = meta.Parent is null ? meta : meta.DeepClone();
        }

        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            tenant,
            token,
            message.ToJsonString(),
            isModern ? Generation.Stateless : null,
            path is Path.InSession or Path.SdkInSession ? session : null
        );
        if (address is not null)
        {
            request.Headers.Add(ClientAddresses.HeaderName, address);
        }

        return await server.Client.SendAsync(request, Token);
    }
}
