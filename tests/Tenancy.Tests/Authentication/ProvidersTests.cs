using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>
/// Real identity providers, as docs/identity-providers.md says to set them up: sign in by code with PKCE and a resource, get a client's
/// token, call, rotate the keys, stop.
/// </summary>
[Tier(Tier.Process)]
public sealed class ProvidersTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Resource => $"http://localhost:{_server.Port}/initech/mcp";

    // A development server as a scaffold makes it: nothing is set for providers.
    public async ValueTask InitializeAsync() =>
        _server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(_time));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task OpenIddict_needs_its_issuer_alone()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await RegisterAsync("initech", issuer.Url);
        await AssertIsAsync($"user:{issuer.Url}|alice", await CodeAsync(issuer));
        await AssertIsAsync($"user:{issuer.Url}|bob", await issuer.GetTokenAsync("bob", Resource));
        await AssertRefusedAsync("globex", await CodeAsync(issuer), HttpStatusCode.Unauthorized);

        var unseen = await issuer.GetTokenAsync("carol", Resource);
        issuer.Rotate();
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        await AssertIsAsync($"user:{issuer.Url}|alice", await CodeAsync(issuer));
        await AssertIsAsync($"user:{issuer.Url}|carol", unseen);

        // It names the whole issuer with a slash at its end: without it the tenant is refused, with the reason.
        using var refused = await _server.AdminAsync(
            HttpMethod.Patch,
            "/initech",
            $$"""{ "authentication": { "issuer": "{{issuer.Url.TrimEnd('/')}}" } }"""
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(
            "only the slash at the end differs",
            await refused.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );

        issuer.Outage = static context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        };
        (await _server.AdminAsync(HttpMethod.Post, "/initech/recheck")).Dispose();
        Assert.Equal("unverified", (await ReadAsync("/initech"))["health"]!.ToString());
        await AssertIsAsync($"user:{issuer.Url}|carol", unseen);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    [InlineData("EdDSA")]
    public async Task Oidc_provider_needs_its_issuer_alone(string algorithm)
    {
        await using var provider = await StartAsync("oidc-provider");
        await provider.RotateAsync(algorithm: algorithm);
        await RegisterAsync("initech", provider.Issuer);
        var tokens = await provider.SignInAsync(Resource);
        await AssertIsAsync($"user:{provider.Issuer}|alice", Access(tokens));
        await AssertRefusedAsync("initech", tokens["id_token"]!.ToString(), HttpStatusCode.Unauthorized);
        await AssertRefusedAsync("globex", Access(tokens), HttpStatusCode.Unauthorized);

        // Its clients' own tokens have the client's id as their subject, and no mark.
        var robot = await provider.GetClientTokenAsync(Resource);
        await AssertIsAsync($"user:{provider.Issuer}|robot", robot);
        await PatchAsync(""" "unmarkedClients": true """);
        await AssertIsAsync($"client:{provider.Issuer}|robot", robot);
        await AssertIsAsync($"user:{provider.Issuer}|alice", Access(tokens));
        await PatchAsync(""" "tokenType": "at+jwt" """);
        await AssertIsAsync($"client:{provider.Issuer}|robot", robot);

        // Another key under the same id, and then under another.
        foreach (var sameId in new[] { true, false })
        {
            await provider.RotateAsync(sameId);
            _time.Advance(IssuerKeys.UnknownKeyInterval);
            await AssertIsAsync($"client:{provider.Issuer}|robot", await provider.GetClientTokenAsync(Resource));
        }

        // Where it is gone, its tokens are good as long as they last.
        var unseen = await provider.GetClientTokenAsync(Resource);
        await provider.DisposeAsync();
        (await _server.AdminAsync(HttpMethod.Post, "/initech/recheck")).Dispose();
        Assert.Equal("unverified", (await ReadAsync("/initech"))["health"]!.ToString());
        await AssertIsAsync($"client:{provider.Issuer}|robot", unseen);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task Better_auth_needs_its_issuer_alone_with_the_key_that_it_has_by_itself_and_with_others(string? algorithm)
    {
        await using var provider = await StartAsync("better-auth", algorithm);
        await RegisterAsync("initech", provider.Issuer);
        var tokens = await provider.SignInAsync(Resource);
        var subject = (await ReadAsync(Access(tokens), "initech"))["caller"]!.ToString();
        Assert.StartsWith($"user:{provider.Issuer}|", subject, StringComparison.Ordinal);
        await AssertIsAsync(subject, Access(tokens));
        await AssertRefusedAsync("initech", tokens["id_token"]!.ToString(), HttpStatusCode.Unauthorized);
        await AssertRefusedAsync("globex", Access(tokens), HttpStatusCode.Unauthorized);
        await PatchAsync(""" "tokenType": "at+jwt" """);
        await AssertIsAsync(subject, Access(tokens));

        await provider.RotateAsync();
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        var other = Access(await provider.SignInAsync(Resource));
        var another = (await ReadAsync(other, "initech"))["caller"]!.ToString();
        Assert.NotEqual(subject, another);
        await AssertIsAsync(another, other);

        await provider.DisposeAsync();
        (await _server.AdminAsync(HttpMethod.Post, "/initech/recheck")).Dispose();
        Assert.Equal("unverified", (await ReadAsync("/initech"))["health"]!.ToString());
        await AssertIsAsync(another, other);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    [InlineData("EdDSA")]
    public async Task Glewlwyd_needs_its_issuer_alone_and_without_a_resource_the_scopes_as_the_audience(string algorithm)
    {
        await using var provider = await StartAsync("glewlwyd", algorithm);
        await RegisterAsync("initech", provider.Issuer);
        var robot = await provider.GetClientTokenAsync(Resource);
        await AssertIsAsync($"user:{provider.Issuer}|robot", robot);
        await AssertRefusedAsync("globex", robot, HttpStatusCode.Unauthorized);
        await PatchAsync(""" "unmarkedClients": true """);
        await AssertIsAsync($"client:{provider.Issuer}|robot", robot);

        var withoutResource = await provider.GetClientTokenAsync(resource: null);
        await AssertRefusedAsync("initech", withoutResource, HttpStatusCode.Unauthorized);
        await PatchAsync(""" "audiences": [ "read" ] """);
        await AssertIsAsync($"client:{provider.Issuer}|robot", withoutResource);

        foreach (var sameId in new[] { true, false })
        {
            await provider.RotateAsync(sameId);
            _time.Advance(IssuerKeys.UnknownKeyInterval);
            await AssertIsAsync($"client:{provider.Issuer}|robot", await provider.GetClientTokenAsync(Resource));
        }

        var unseen = await provider.GetClientTokenAsync(Resource);
        await provider.DisposeAsync();
        (await _server.AdminAsync(HttpMethod.Post, "/initech/recheck")).Dispose();
        Assert.Equal("unverified", (await ReadAsync("/initech"))["health"]!.ToString());
        await AssertIsAsync($"client:{provider.Issuer}|robot", unseen);
    }

    [Fact]
    public async Task LemonLDAP_needs_its_issuer_and_the_tenants_url_as_an_audience_that_its_id_tokens_have_too()
    {
        await using var provider = await StartAsync("lemonldap-ng");
        await RegisterAsync("initech", provider.Issuer);
        var tokens = await provider.SignInAsync(Resource);
        await AssertIsAsync($"user:{provider.Issuer}|dwho", Access(tokens));
        await AssertRefusedAsync("initech", tokens["id_token"]!.ToString(), HttpStatusCode.Unauthorized);
        await AssertRefusedAsync("globex", Access(tokens), HttpStatusCode.Unauthorized);
        var robot = await provider.GetClientTokenAsync(Resource);
        await AssertIsAsync($"user:{provider.Issuer}|robot", robot);
        await PatchAsync(""" "unmarkedClients": true """);
        await AssertIsAsync($"client:{provider.Issuer}|robot", robot);

        foreach (var sameId in new[] { true, false })
        {
            await provider.RotateAsync(sameId);
            _time.Advance(IssuerKeys.UnknownKeyInterval);
            await AssertIsAsync($"client:{provider.Issuer}|robot", await provider.GetClientTokenAsync(Resource));
        }

        var unseen = await provider.GetClientTokenAsync(Resource);
        await provider.DisposeAsync();
        (await _server.AdminAsync(HttpMethod.Post, "/initech/recheck")).Dispose();
        Assert.Equal("unverified", (await ReadAsync("/initech"))["health"]!.ToString());
        await AssertIsAsync($"client:{provider.Issuer}|robot", unseen);
    }

    private static string Access(JsonNode tokens) => tokens["access_token"]!.ToString();

    // Those of the gate are installed there. Others are in tests/long.
    private Task<RealProvider> StartAsync(string name, string? algorithm = null)
    {
        var required = (Environment.GetEnvironmentVariable("TENANCY_PROVIDERS") ?? "").Split(' ');
        Assert.SkipUnless(
            required.Contains(name) || RealProvider.IsInstalled(name),
            $"{name} is not installed: bash tests/Providers/install {name}"
        );
        return RealProvider.StartAsync(name, Resource, algorithm);
    }

    // OpenIddict by the code flow with PKCE and a resource.
    private async Task<string> CodeAsync(TestIssuer issuer)
    {
        const string Redirect = "http://127.0.0.1/callback";
        var verifier = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var challenge = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var asked = await client.GetAsync(
            new Uri(
                $"{issuer.Url}authorize?response_type=code&client_id=web&redirect_uri={Uri.EscapeDataString(Redirect)}"
                    + $"&code_challenge={challenge}&code_challenge_method=S256&resource={Uri.EscapeDataString(Resource)}"
            ),
            Cancellation
        );
        var code = System.Web.HttpUtility.ParseQueryString(asked.Headers.Location!.Query)["code"]!;
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["grant_type"] = "authorization_code",
                ["client_id"] = "web",
                ["code"] = code,
                ["redirect_uri"] = Redirect,
                ["code_verifier"] = verifier,
                ["resource"] = Resource,
            }
        );
        using var answer = await client.PostAsync(new Uri(issuer.Url + "token"), form, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, text);
        return Access(JsonNode.Parse(text)!);
    }

    // Two tenants at one provider: each has its own URL for an audience.
    private async Task RegisterAsync(string id, string issuer)
    {
        using var response = await _server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "{{id}}", "authentication": { "kind": "jwks", "issuer": "{{issuer}}" } }"""
        );
        var tenant = await McpCalls.ReadAsync(response);
        Assert.True(tenant["health"]?.ToString() == "healthy", tenant.ToJsonString());
        using var other = await _server.AdminAsync(
            HttpMethod.Patch,
            "/globex",
            $$"""{ "authentication": { "kind": "jwks", "issuer": "{{issuer}}" } }"""
        );
        Assert.True(other.IsSuccessStatusCode, await other.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task PatchAsync(string settings)
    {
        using var response = await _server.AdminAsync(HttpMethod.Patch, "/initech", $$"""{ "authentication": { {{settings}} } }""");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<JsonNode> ReadAsync(string path)
    {
        using var response = await _server.AdminAsync(HttpMethod.Get, path);
        return await McpCalls.ReadAsync(response);
    }

    private async Task<JsonNode> ReadAsync(string token, string tenant)
    {
        using var response = await _server.AdminAsync(
            HttpMethod.Post,
            $"/{tenant}/explain-token",
            new JsonObject { ["token"] = token }.ToJsonString()
        );
        return await McpCalls.ReadAsync(response);
    }

    private async Task AssertIsAsync(string caller, string token)
    {
        var explained = await ReadAsync(token, "initech");
        Assert.True((bool)explained["accepted"]!, explained.ToJsonString());
        Assert.Equal(caller, explained["caller"]!.ToString());
        var who = (await _server.CallAsync("initech", token, "whoami"))["content"]![0]!["text"]!.ToString();
        Assert.StartsWith($"initech|{caller}|", who, StringComparison.Ordinal);
    }

    private async Task AssertRefusedAsync(string tenant, string token, HttpStatusCode status)
    {
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Cancellation);
        Assert.Equal(status, response.StatusCode);
        Assert.False((bool)(await ReadAsync(token, tenant))["accepted"]!);
    }
}
