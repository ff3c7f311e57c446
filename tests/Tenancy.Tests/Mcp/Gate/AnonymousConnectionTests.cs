using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Gate;

/// <summary>
/// A client without credentials reaches the tools that need none: it connects, sees them and calls them, and gets nothing else by that.
/// </summary>
[Tier(Tier.Server)]
public sealed class AnonymousConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task The_official_client_lists_and_calls_the_open_tools_without_a_token(string version)
    {
        await using var server = await StartAsync();
        foreach (var way in Enum.GetValues<Way>())
        {
            await using var client = await ConnectAsync(server, way, "acme", version);
            Assert.Null(client.SessionId);
            Assert.Null(client.ServerCapabilities.Prompts);
            Assert.Null(client.ServerCapabilities.Resources);
            var tools = await client.ListToolsAsync(cancellationToken: Token);
            Assert.Equal("get_products", Assert.Single(tools).Name);
            var result = await client.CallToolAsync("get_products", cancellationToken: Token);
            Assert.Contains("acme-banner", result.Content.OfType<TextContentBlock>().Single().Text, StringComparison.Ordinal);
            await Assert.ThrowsAnyAsync<Exception>(async () => await client.CallToolAsync("whoami", cancellationToken: Token));
        }
    }

    [Fact]
    public async Task An_initialize_without_credentials_begins_no_session_and_declares_what_there_is()
    {
        await using var server = await StartAsync();
        using var answer = await PostAsync(server, McpCalls.Initialize());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Mcp-Session-Id"));
        Assert.Equal("""{"tools":{}}""", (await McpCalls.ReadAsync(answer))["result"]!["capabilities"]!.ToJsonString());
        using var sessions = await server.AdminAsync(HttpMethod.Get, "/acme/sessions");
        Assert.Empty((await McpCalls.ReadAsync(sessions))["sessions"]!.AsArray());
    }

    [Fact]
    public async Task An_initialize_that_names_the_other_generation_begins_no_session_either()
    {
        await using var server = await StartAsync();
        foreach (var version in new[] { "2025-11-25", "2026-07-28" })
        {
            var body = McpCalls
                .Initialize()
                .Replace(
                    "\"capabilities\"",
                    $$"""
                    "_meta":{"io.modelcontextprotocol/protocolVersion":"{{version}}"},"capabilities"
                    """.Trim(),
                    StringComparison.Ordinal
                );
            using var answer = await PostAsync(server, body);
            Assert.InRange((int)answer.StatusCode, 200, 499);
            Assert.False(answer.Headers.Contains("Mcp-Session-Id"));
        }

        using var sessions = await server.AdminAsync(HttpMethod.Get, "/acme/sessions");
        Assert.Empty((await McpCalls.ReadAsync(sessions))["sessions"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/initialized"}""", 202)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", 200)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", 200)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scoped"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_such"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"prompts/list"}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"hello"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/list"}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://one"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"of/ones/own"}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""", 401)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""", 401)]
    public async Task Without_credentials_a_client_connects_lists_and_calls_open_tools_and_nothing_else(string body, int status)
    {
        await using var server = await StartAsync();
        using var answer = await PostAsync(server, body);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Whichever_way_the_list_goes_it_has_the_open_tools_without_a_scope()
    {
        await using var server = await StartAsync(new() { ["Tenancy:AnonymousTools:1"] = "scoped" });
        foreach (
            var body in new[]
            {
                McpCalls.Message("tools/list"),
                """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"progressToken":1}}}""",
            }
        )
        {
            using var answer = await PostAsync(server, body);
            Assert.Equal(
                "get_products",
                Assert.Single((await McpCalls.ReadAsync(answer))["result"]!["tools"]!.AsArray())!["name"]!.ToString()
            );
        }
    }

    [Fact]
    public async Task Where_no_tool_is_open_a_client_is_asked_for_credentials_at_once()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:AnonymousTools:0");
        await using var server = await TenancyServer.StartAsync(settings: settings);
        foreach (var body in new[] { McpCalls.Initialize(), McpCalls.Message("tools/list"), McpCalls.Message("ping") })
        {
            using var answer = await PostAsync(server, body);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task What_connects_without_credentials_is_counted_by_address()
    {
        await using var server = await StartAsync(services: services => services.AddSingleton<IStartupFilter, ClientAddresses>());
        foreach (
            var body in new[]
            {
                McpCalls.Initialize(),
                McpCalls.Message("ping"),
                """{"jsonrpc":"2.0","method":"notifications/initialized"}""",
                McpCalls.Message("tools/list"),
            }
        )
        {
            var address = $"192.0.2.{body.Length}";
            HashSet<HttpStatusCode> answers = [];
            for (var i = 0; i < 70; i++)
            {
                using var answer = await PostAsync(server, body, address: address);
                answers.Add(answer.StatusCode);
            }

            Assert.Contains(HttpStatusCode.TooManyRequests, answers);
            using var other = await PostAsync(server, body, address: "198.51.100.1");
            Assert.True(other.IsSuccessStatusCode);
        }
    }

    [Fact]
    public async Task A_session_of_somebody_elses_is_none_for_who_shows_nothing()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        foreach (var body in new[] { McpCalls.Message("tools/list"), McpCalls.Call("get_products"), McpCalls.Message("ping") })
        {
            using var answer = await PostAsync(server, body, session: session);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_session_that_began_while_the_tenant_asked_for_nothing_is_none_for_who_shows_nothing_afterwards()
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"authentication":{"kind":"none"}}""");
        var session = await server.InitializeAsync("acme", token: null);
        using (var before = await PostAsync(server, McpCalls.Message("tools/list"), session: session))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        await ChangeAsync(server, """{"authentication":{"kind":"bearer"}}""");
        foreach (
            var body in new[]
            {
                McpCalls.Message("tools/list"),
                McpCalls.Call("get_products"),
                McpCalls.Message("ping"),
                """{"jsonrpc":"2.0","method":"notifications/initialized"}""",
            }
        )
        {
            using var answer = await PostAsync(server, body, session: session);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Who_connects_without_credentials_spends_nothing_of_the_tenants_or_its_callers_limits()
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":20,"rateLimitPerCaller":10}}""");
        for (var i = 0; i < 40; i++)
        {
            using var initialize = await PostAsync(server, McpCalls.Initialize());
            using var list = await PostAsync(server, McpCalls.Message("tools/list"));
        }

        using var begin = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
        using var begun = await server.Client.SendAsync(begin, Token);
        Assert.Contains(";r=19;", begun.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
        using var first = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        using var answer = await server.Client.SendAsync(first, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains(";r=9;", answer.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tenant_with_an_identity_provider_asks_at_once_unless_it_wants_to_ask_at_the_call(bool atCall)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await StartAsync(new() { ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8" });
        using (
            var made = await server.AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                $$$"""{ "id": "initech", "authentication": { "kind": "jwks", "issuer": "{{{issuer.Url}}}", "challengeAtCall": {{{(
                    atCall ? "true" : "false"
                )}}} } }"""
            )
        )
        {
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Token));
        }

        foreach (var body in new[] { McpCalls.Initialize(), McpCalls.Message("tools/list"), McpCalls.Message("ping") })
        {
            using var answer = await PostAsync(server, body, tenant: "initech");
            Assert.Equal(atCall ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
            if (atCall && body.Contains("tools/list", StringComparison.Ordinal))
            {
                var names = (await McpCalls.ReadAsync(answer))["result"]!["tools"]!.AsArray().Select(tool => tool!["name"]!.ToString());
                Assert.Contains("whoami", names);
                Assert.DoesNotContain("scoped", names);
            }
        }

        using var open = await PostAsync(server, McpCalls.Call("get_products"), tenant: "initech");
        Assert.Equal(HttpStatusCode.OK, open.StatusCode);
        foreach (var tool in new[] { "whoami", "scoped" })
        {
            using var closed = await PostAsync(server, McpCalls.Call(tool), tenant: "initech");
            Assert.Equal(HttpStatusCode.Unauthorized, closed.StatusCode);
            Assert.Contains("resource_metadata", closed.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Unknown_and_suspended_tenants_look_the_same_to_who_connects_without_credentials()
    {
        await using var server = await StartAsync();
        using (var suspended = await server.AdminAsync(HttpMethod.Patch, "/globex", """{"status":"suspended"}"""))
        {
            Assert.True(suspended.IsSuccessStatusCode);
        }

        foreach (var body in new[] { McpCalls.Initialize(), McpCalls.Message("tools/list") })
        {
            var answers = new HashSet<string>();
            foreach (var tenant in new[] { "globex", "nobody" })
            {
                using var answer = await PostAsync(server, body, tenant: tenant);
                answers.Add($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Token)}");
            }

            Assert.StartsWith("404 ", Assert.Single(answers), StringComparison.Ordinal);
        }
    }

    private static async Task ChangeAsync(TenancyServer server, string change)
    {
        using var answer = await server.AdminAsync(HttpMethod.Patch, "/acme", change);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Token));
    }

    private static Task<TenancyServer> StartAsync(Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null)
    {
        var all = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        foreach (var (name, value) in settings ?? [])
        {
            all[name] = value;
        }

        return TenancyServer.StartAsync(settings: all, services: collection =>
        {
            collection.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Closed>()));
            services?.Invoke(collection);
        });
    }

    private static async Task<HttpResponseMessage> PostAsync(
        TenancyServer server,
        string body,
        string tenant = "acme",
        string? address = null,
        string? session = null
    )
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, null, body, sessionId: session);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (address is not null)
        {
            request.Headers.Add(ClientAddresses.HeaderName, address);
        }

        return await server.Client.SendAsync(request, Token);
    }

    private static Task<McpClient> ConnectAsync(TenancyServer server, Way way, string tenant, string version) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new HttpClientTransportOptions
                {
                    Endpoint = new Uri(McpCalls.Url(server.Port, way, tenant)),
                    AdditionalHeaders = way == Way.Header ? new Dictionary<string, string> { ["X-Tenant-ID"] = tenant } : null,
                    TransportMode = HttpTransportMode.StreamableHttp,
                },
                server.NewClient(),
                ownsHttpClient: true
            ),
            new() { ProtocolVersion = version },
            cancellationToken: Token
        );

    /// <summary>What callers without credentials have no part in.</summary>
    private sealed class Closed
    {
        [McpServerTool(Name = "scoped"), RequireScope("buy")]
        public static string Scoped() => "done";

        [McpServerPrompt(Name = "hello")]
        public static string Hello() => "hello";

        [McpServerResource(UriTemplate = "test://one", Name = "one")]
        public static string One() => "one";
    }
}
