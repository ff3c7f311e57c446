using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A tool that asks for a scope is for callers who have it.</summary>
[Tier(Tier.Server)]
public sealed class ToolScopesTests
{
    private const string Reader = "acme.reader";
    private const string Buyer = "acme.full-buyer";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<Way, Generation> Everywhere { get; } =
        new MatrixTheoryData<Way, Generation>(Enum.GetValues<Way>(), Enum.GetValues<Generation>());

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "reader",
            ["Tenancy:Tenants:0:principals:1:token"] = Reader,
            ["Tenancy:Tenants:0:principals:1:scopes:0"] = "buys",
            ["Tenancy:Tenants:0:principals:2:name"] = "buyer",
            ["Tenancy:Tenants:0:principals:2:token"] = Buyer,
            ["Tenancy:Tenants:0:principals:2:scopes:0"] = "read",
            ["Tenancy:Tenants:0:principals:2:scopes:1"] = "buy",
        };

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_tool_is_hidden_from_and_refused_to_callers_without_its_scope(Way way, Generation generation)
    {
        await using var server = await StartAsync();
        foreach (var (token, has) in new[] { (McpCalls.Acme, false), (Reader, false), (Buyer, true) })
        {
            Assert.Equal(has, (await ToolsAsync(server, token, way, generation)).Contains("scoped"));
            Assert.Equal(has, (await ToolsAsync(server, token, way, generation)).Contains("scoped_buy"));
            Assert.Contains("whoami", await ToolsAsync(server, token, way, generation));
            foreach (var tool in new[] { "scoped", "scoped_buy" })
            {
                using var request = McpCalls.Post(
                    server.Port,
                    way,
                    "acme",
                    token,
                    McpCalls.Call(tool, tool == "scoped" ? null : McpCalls.CreateBuy(), generation),
                    generation
                );
                using var response = await server.Client.SendAsync(request, Cancellation);
                Assert.Equal(has ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
                Assert.Equal(
                    has ? "" : $"Bearer error=\"insufficient_scope\", scope=\"{(token == Reader ? "buys buy" : "buy")}\"",
                    response.Headers.WwwAuthenticate.ToString()
                );
                var answer = await McpCalls.ReadAsync(response);
                Assert.Equal(has ? null : -32028, (int?)answer["error"]?["code"]);
                Assert.Equal(1, (int)answer["id"]!);
            }
        }
    }

    [Fact]
    public async Task In_a_session_the_answer_is_the_same()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", Reader);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", Reader, McpCalls.Call("scoped"), Generation.Sessions, session);
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Where_several_scopes_are_asked_for_all_are_needed_and_what_is_missing_is_named_beside_what_is_held()
    {
        await using var server = await StartAsync();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", Buyer, McpCalls.Call("scoped_twice"));
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.Equal("Bearer error=\"insufficient_scope\", scope=\"read buy approve\"", response.Headers.WwwAuthenticate.ToString());
    }

    // Many proxies give an error of their own in place of an answer whose head has more than 4 KiB.
    [Fact]
    public async Task Of_very_many_scopes_that_are_held_the_answer_names_some_and_what_is_missing_all_the_same()
    {
        await using var server = await StartAsync();
        var held = Enumerable.Range(0, 50).Select(number => $"{number}-{new string('x', 60)}").ToArray();
        using var principal = await server.AdminAsync(
            HttpMethod.Post,
            "/acme/principals",
            JsonSerializer.Serialize(
                new
                {
                    name = "many",
                    token = "acme.with-many-scopes",
                    scopes = held,
                }
            )
        );
        Assert.True(principal.IsSuccessStatusCode, await principal.Content.ReadAsStringAsync(Cancellation));
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", "acme.with-many-scopes", McpCalls.Call("scoped_twice"));
        using var response = await server.Client.SendAsync(request, Cancellation);
        var challenge = response.Headers.WwwAuthenticate.ToString();
        Assert.StartsWith($"Bearer error=\"insufficient_scope\", scope=\"{held[0]} {held[1]} ", challenge, StringComparison.Ordinal);
        Assert.EndsWith(" buy approve\"", challenge, StringComparison.Ordinal);
        Assert.InRange(challenge.Length, 900, 1100);
    }

    [Fact]
    public async Task A_tenant_that_asks_for_no_proof_asks_for_no_scope()
    {
        await using var server = await StartAsync(new(TenancyServer.DefaultSettings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" });
        Assert.Equal("done", (await server.CallAsync("acme", null, "scoped"))["content"]![0]!["text"]!.ToString());
    }

    [Fact]
    public async Task Without_credentials_it_is_401_even_where_the_tool_may_be_called_by_anybody()
    {
        await using var server = await StartAsync(new(Settings) { ["Tenancy:AnonymousTools:1"] = "scoped" });
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", null, McpCalls.Call("scoped"));
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("scope", "read buy")]
    [InlineData("scp", "buy read")]
    [InlineData("scp", new[] { "read", "buy" })]
    [InlineData("scope", "read")]
    [InlineData("scope", "buys buy2 xbuy")]
    [InlineData("roles", "buy")]
    public async Task A_jwt_brings_its_scopes_along(string claim, object value)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await StartAsync(new(Settings) { ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8" });
        using var registered = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "initech", "authentication": { "kind": "jwks", "issuer": "{{issuer.Url}}", "audiences": ["api"] } }"""
        );
        Assert.True(registered.IsSuccessStatusCode);
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "initech",
            issuer.Mint("api", claims => claims[claim] = value),
            McpCalls.Call("scoped")
        );
        using var response = await server.Client.SendAsync(request, Cancellation);
        var has = claim != "roles" && (value as string[] ?? ((string)value).Split(' ')).Contains("buy");
        Assert.Equal(has ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
    }

    private static Task<TenancyServer> StartAsync(Dictionary<string, string?>? settings = null) =>
        TenancyServer.StartAsync(settings: settings ?? Settings, services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<ScopedTools>()))
        );

    private static async Task<string[]> ToolsAsync(TenancyServer server, string token, Way way, Generation generation)
    {
        using var request = McpCalls.Post(
            server.Port,
            way,
            "acme",
            token,
            McpCalls.Message("tools/list", generation: generation),
            generation
        );
        using var response = await server.Client.SendAsync(request, Cancellation);
        return [.. (await McpCalls.ReadAsync(response))["result"]!["tools"]!.AsArray().Select(tool => tool!["name"]!.ToString())];
    }

    private sealed class ScopedTools
    {
        [McpServerTool(Name = "scoped"), RequireScope("buy")]
        public static string Scoped() => "done";

        [McpServerTool(Name = "scoped_twice"), RequireScope("buy"), RequireScope("approve")]
        public static string ScopedTwice() => "done";

        [AdcpTool("scoped_buy"), RequireScope("buy")]
        public Task<CreateMediaBuyResponse> BuyAsync(
            CreateMediaBuyRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        ) =>
            Task.FromResult(
                new CreateMediaBuyResponse
                {
                    MediaBuyId = "mb",
                    Status = MediaBuyStatus.Active,
                    Packages = [],
                }
            );
    }
}
