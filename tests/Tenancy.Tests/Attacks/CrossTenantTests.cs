using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>What belongs to acme is of no use at globex, however globex is named and whichever protocol is spoken.</summary>
/// <remarks>
/// The tests of one server leave sessions at acme and media buys at globex. They show globex 12 bad tokens, of 60 that an address may show
/// it a minute.
/// </remarks>
[Tier(Tier.Server)]
public sealed class CrossTenantTests(SharedServer shared) : IClassFixture<SharedServer>
{
    public static TheoryData<Way, Generation> Everywhere { get; } =
        new MatrixTheoryData<Way, Generation>(Enum.GetValues<Way>(), Enum.GetValues<Generation>());

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_token_of_one_tenant_is_refused_at_another(Way way, Generation generation)
    {
        var server = shared.Host;
        foreach (var (tenant, token) in new[] { ("globex", McpCalls.Acme), ("acme", McpCalls.Globex) })
        {
            using var request = McpCalls.Post(server.Port, way, tenant, token, McpCalls.Call("whoami", generation: generation), generation);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString());
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_bad_token_opens_not_even_what_needs_none(Way way, Generation generation)
    {
        var server = shared.Host;
        using var request = McpCalls.Post(
            server.Port,
            way,
            "globex",
            McpCalls.Acme,
            McpCalls.Call("get_products", generation: generation),
            generation
        );
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_session_of_one_tenant_does_not_exist_at_another(Way way, Generation generation)
    {
        var server = shared.Host;
        var session = await server.InitializeAsync("acme", McpCalls.Acme, way);
        Assert.StartsWith(
            "acme|",
            Text(await server.CallAsync("acme", McpCalls.Acme, "whoami", way: way, sessionId: session)),
            StringComparison.Ordinal
        );

        using var post = McpCalls.Post(
            server.Port,
            way,
            "globex",
            McpCalls.Globex,
            McpCalls.Call("whoami", generation: generation),
            generation,
            session
        );
        await AssertNoSessionAsync(server, post);
        if (generation == Generation.Sessions)
        {
            using var get = McpCalls.Bodyless(HttpMethod.Get, server.Port, way, "globex", McpCalls.Globex, session);
            await AssertNoSessionAsync(server, get);
            using var delete = McpCalls.Bodyless(HttpMethod.Delete, server.Port, way, "globex", McpCalls.Globex, session);
            await AssertNoSessionAsync(server, delete);
        }

        Assert.StartsWith(
            "acme|",
            Text(await server.CallAsync("acme", McpCalls.Acme, "whoami", way: way, sessionId: session)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_session_is_not_shared_by_tenants_that_ask_for_no_proof()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var session = await server.InitializeAsync("acme", token: null);
        Assert.Equal("acme|anonymous|anonymous", Text(await server.CallAsync("acme", null, "whoami", sessionId: session)));
        using var post = McpCalls.Post(server.Port, Way.Path, "globex", null, McpCalls.Call("whoami"), Generation.Sessions, session);
        await AssertNoSessionAsync(server, post);
    }

    [Fact]
    public async Task A_session_of_one_caller_does_not_exist_for_another_of_the_same_tenant()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "second",
            ["Tenancy:Tenants:0:principals:1:token"] = "acme.second",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", "acme.second", McpCalls.Call("whoami"), Generation.Sessions, session);
        await AssertNoSessionAsync(server, post);
        using var anonymous = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            null,
            McpCalls.Call("get_products"),
            Generation.Sessions,
            session
        );
        await AssertNoSessionAsync(server, anonymous);
    }

    [Fact]
    public async Task A_session_that_was_ended_is_gone()
    {
        var server = shared.Host;
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var delete = McpCalls.Bodyless(HttpMethod.Delete, server.Port, Way.Path, "acme", McpCalls.Acme, session);
        using var response = await server.Client.SendAsync(delete, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode);
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"), Generation.Sessions, session);
        await AssertNoSessionAsync(server, post);
    }

    [Theory]
    [InlineData("../globex")]
    [InlineData("mb_*")]
    [InlineData("}:data")]
    [InlineData("a:b:c")]
    [InlineData("\u0000\r\nDEL x")]
    public async Task A_media_buy_id_cannot_reach_out_of_its_place(string id)
    {
        var server = shared.Host;
        await server.CallAsync("globex", McpCalls.Globex, "create_media_buy", McpCalls.CreateBuy());
        var result = await server.CallAsync("acme", McpCalls.Acme, "get_media_buys", new() { ["media_buy_ids"] = new JsonArray(id) });
        Assert.Empty(result["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Theory]
    [InlineData("no-such-cursor")]
    [InlineData("0000000000000000:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("\u007f")]
    public async Task A_made_up_cursor_shows_nothing_of_others(string cursor)
    {
        var server = shared.Host;
        await server.CallAsync("globex", McpCalls.Globex, "create_media_buy", McpCalls.CreateBuy());
        using var context = Tenancy.Testing.TestToolContext.Begin(server.Services, "acme");
        Assert.Empty(
            (await context.Context.Documents<TestBuy>().ListAsync(cursor, cancellationToken: TestContext.Current.CancellationToken)).Items
        );
    }

    private static string Text(JsonNode result) => result["content"]![0]!["text"]!.ToString();

    private static async Task AssertNoSessionAsync(TenancyServer server, HttpRequestMessage request)
    {
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("There is no such session.", (await McpCalls.ReadAsync(response))["error"]!["message"]!.ToString());
    }
}
