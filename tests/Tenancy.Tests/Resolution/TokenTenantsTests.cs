using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>One URL for all tenants, where the token says which one is meant.</summary>
[Tier(Tier.Server)]
public sealed class TokenTenantsTests : IAsyncLifetime
{
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:Identification"] = "token,path,host",
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            }
        );
        await RegisterAsync("initech", "initech-api");
        await RegisterAsync("hooli", "hooli-api");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Issuer_and_audience_choose_the_tenant_and_its_own_rules_prove_it()
    {
        Assert.StartsWith("initech|", await WhoAsync(_issuer.Mint("initech-api")), StringComparison.Ordinal);
        Assert.StartsWith("hooli|", await WhoAsync(_issuer.Mint("hooli-api")), StringComparison.Ordinal);
        Assert.StartsWith("acme|principal:", await WhoAsync(McpCalls.Acme), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_issuer.Mint("initech-api", signing: TestIssuer.NewKey())));
    }

    // What nobody needs of a token decides nothing, here as at the tenant's own URL.
    [Theory]
    [InlineData("jti", 7)]
    [InlineData("jti", true)]
    [InlineData("iat", "yesterday")]
    [InlineData("nonce_supported", 1.5)]
    public async Task An_odd_claim_that_is_not_needed_hides_no_tenant(string claim, object value)
    {
        var token = _issuer.Mint("initech-api", claims => claims[claim] = value);
        Assert.StartsWith("initech|", await WhoAsync(token), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(token, "/initech"));
    }

    [Fact]
    public async Task A_token_that_names_no_tenant_or_two_is_refused()
    {
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(_issuer.Mint("other-api")));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await StatusAsync(_issuer.Mint("", claims => claims["aud"] = new[] { "initech-api", "hooli-api" }))
        );
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(_issuer.Mint("hooli-api"), "/initech"));
    }

    [Fact]
    public async Task What_a_tenant_gave_up_names_it_no_more()
    {
        using var patch = await _server.AdminAsync(HttpMethod.Patch, "/initech", """{ "authentication": { "audiences": ["new-api"] } }""");
        Assert.True(patch.IsSuccessStatusCode, await patch.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(_issuer.Mint("initech-api")));
        Assert.StartsWith("initech|", await WhoAsync(_issuer.Mint("new-api")), StringComparison.Ordinal);
        (await _server.AdminAsync(HttpMethod.Delete, "/hooli")).Dispose();
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(_issuer.Mint("hooli-api")));
    }

    private async Task RegisterAsync(string id, string audience)
    {
        using var answer = await _server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "{{id}}", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}", "audiences": ["{{audience}}"] } }"""
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<HttpStatusCode> StatusAsync(string token, string prefix = "") => (await PostAsync(token, prefix)).Status;

    private async Task<string> WhoAsync(string token)
    {
        var (status, answer) = await PostAsync(token, "");
        Assert.Equal(HttpStatusCode.OK, status);
        return answer["result"]!["content"]![0]!["text"]!.ToString();
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> PostAsync(string token, string prefix)
    {
        using var request = McpCalls.Post(_server.Port, Way.Header, "unused", token, McpCalls.Call("whoami"));
        request.Headers.Remove("X-Tenant-ID");
        request.RequestUri = new($"http://127.0.0.1:{_server.Port}{prefix}/mcp");
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return (response.StatusCode, await McpCalls.ReadAsync(response));
    }
}
