using System.Net;
using System.Text;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>Without credentials only the tools that need none may be called, whatever the body looks like.</summary>
/// <remarks>
/// The tests of one server ask acme 45 times without credentials. An address may do so 60 times a minute; a row beyond that is told 429.
/// </remarks>
[Tier(Tier.Server)]
public sealed class AnonymousGateTests(SharedServer shared) : IClassFixture<SharedServer>
{
    public static TheoryData<Way, Generation> Everywhere => CrossTenantTests.Everywhere;

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_tool_that_needs_credentials_is_refused_without_them(Way way, Generation generation)
    {
        var server = shared.Host;
        foreach (
            var body in new[] { McpCalls.Call("whoami", generation: generation), McpCalls.Message("prompts/list", generation: generation) }
        )
        {
            using var request = McpCalls.Post(server.Port, way, "acme", null, body, generation);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            var answer = await McpCalls.ReadAsync(response);
            Assert.Equal(-32028, (int)answer["error"]!["code"]!);
            Assert.Equal("AUTH_REQUIRED", answer["error"]!["data"]!["adcp_error"]!["code"]!.ToString());
            Assert.Equal(1, (int)answer["id"]!);
        }
    }

    [Fact]
    public async Task A_session_cannot_be_begun_without_credentials()
    {
        var server = shared.Host;
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", null, McpCalls.Initialize());
        using var response = await server.Client.SendAsync(post, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Mcp-Session-Id"));
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            using var request = McpCalls.Bodyless(method, server.Port, Way.Path, "acme", null, sessionId: "any");
            using var other = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, other.StatusCode);
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Products_are_shown_without_credentials_and_then_without_prices(Way way, Generation generation)
    {
        var server = shared.Host;
        var (hidden, shown) = (Assert.Single(await PricesAsync(null))!, Assert.Single(await PricesAsync(McpCalls.Acme))!);

        // A product has a price always: what it is sold by is told, and no amount.
        Assert.Equal((string?)shown["pricing_option_id"], (string?)hidden["pricing_option_id"]);
        Assert.NotNull(shown["fixed_price"]);
        Assert.Equal(["currency", "pricing_model", "pricing_option_id"], hidden.AsObject().Select(member => member.Key).Order());

        async Task<System.Text.Json.Nodes.JsonArray> PricesAsync(string? token) =>
            (await server.CallAsync("acme", token, "get_products", way: way, generation: generation))["structuredContent"]!["products"]![
                0
            ]!["pricing_options"]!.AsArray();
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":"\ud800","method":"tools/call","params":{"name":"get_products"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"\ud800","params":{"name":"get_products"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\udc00"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","\ud800":1}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"a":{"\ud800":1,"b":2}}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"~"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":"~","method":"tools/call","params":{"name":"get_products"}}""")]
    public async Task A_body_with_a_text_that_is_no_Unicode_is_refused_with_and_without_credentials(string body)
    {
        var server = shared.Host;
        foreach (var token in new[] { null, McpCalls.Acme })
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", token, body);
            request.Content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(body).Select(one => one == '~' ? (byte)0xff : one)])
            {
                Headers = { ContentType = new("application/json") },
            };
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal(-32700, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
        }
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","name":"whoami"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","name":"get_products"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","Name":"whoami"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"NAME":"whoami","name":"get_products"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","n\u0061me":"whoami"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products"},"params":{"name":"whoami"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{"name":"get_products"}}""")]
    [InlineData(
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"brief":"a","brief":"b"}}}"""
    )]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","Arguments":{},"arguments":{}}}""")]
    public async Task A_body_with_a_key_twice_is_refused_with_and_without_credentials(string body)
    {
        var server = shared.Host;
        foreach (var token in new[] { null, McpCalls.Acme })
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", token, body);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal(-32600, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products"}}]""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products"}}{}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,/* */"method":"tools/call","params":{"name":"get_products"}}""")]
    [InlineData("<xml/>")]
    public async Task A_body_that_is_not_one_message_is_refused(string body)
    {
        var server = shared.Host;
        foreach (var token in new[] { null, McpCalls.Acme })
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", token, body);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-32")]
    public async Task A_body_in_another_encoding_cannot_show_the_server_another_tool(string charset)
    {
        var server = shared.Host;
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", null, "{}");
        request.Content = new StringContent(McpCalls.Call("whoami"), Encoding.GetEncoding(charset), "application/json");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:MaxRequestBodySize"] = "4096" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("get_products", new() { ["brief"] = new string('x', 5000) })
        );
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task What_a_tool_throws_stays_inside()
    {
        var server = shared.Host;
        var result = await server.CallAsync("acme", McpCalls.Acme, "fail", new() { ["secret"] = "hunter2" });
        Assert.True((bool)result["isError"]!);
        Assert.DoesNotContain("hunter2", result.ToJsonString(), StringComparison.Ordinal);
    }
}
