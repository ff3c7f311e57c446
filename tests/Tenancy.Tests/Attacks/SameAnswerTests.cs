using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>
/// Foreign, revoked, expired and forged tokens and garbage get one answer, to the byte: it tells nobody which of them a token is.
/// </summary>
[Tier(Tier.Server)]
public sealed partial class SameAnswerTests : IAsyncLifetime
{
    private const string Metadata = "resource_metadata=\"http://localhost/.well-known/oauth-protected-resource/initech/mcp\"";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Dictionary<string, string> _bad = [];
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;

    private static string Jwt(
        TestIssuer issuer,
        string audience = "initech-api",
        string scope = "",
        SigningCredentials? signing = null,
        DateTime? expires = null
    ) => issuer.Mint(audience, claims => claims["scope"] = scope, signing, expires: expires);

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:PublicUrl"] = "http://localhost",
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services =>
                services
                    .AddSingleton<TimeProvider>(_time)
                    .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Tools>()))
                    .AddSingleton(provider => new FailedChecks(provider.GetRequiredService<LocalRateLimiter>()) { PerMinute = 1_000_000 })
        );
        await AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "initech", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}", "audiences": ["initech-api"],"""
                + $$""" "scopes": ["buy", "read"] } }"""
        );
        await AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "umbra", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}", "audiences": ["umbra-api"] } }"""
        );
        await MakeBadTokensAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("acme", "Bearer error=\"invalid_token\"")]
    [InlineData("initech", $"Bearer error=\"invalid_token\", {Metadata}, scope=\"buy read\"")]
    public async Task No_answer_tells_bad_tokens_apart(string tenant, string challenge)
    {
        foreach (var (shape, headers, body) in Shapes())
        {
            var answers = new Dictionary<string, string>();
            foreach (var (kind, token) in _bad.Where(token => !token.Key.EndsWith($"of {tenant}", StringComparison.Ordinal)))
            {
                answers[kind] = await AskAsync(tenant, [$"Authorization: Bearer {token}", .. headers], body);
            }

            var first = answers.First();
            Assert.All(answers, answer =>
                Assert.True(answer.Value == first.Value, $"{shape}: {answer.Key} got\n{answer.Value}\nand {first.Key}\n{first.Value}")
            );
            Assert.StartsWith("HTTP/1.1 401 ", first.Value, StringComparison.Ordinal);
            Assert.Contains($"\r\nWWW-Authenticate: {challenge}\r\n", first.Value, StringComparison.Ordinal);
            Assert.Contains("-32028", first.Value, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("acme", "Bearer")]
    [InlineData("initech", $"Bearer {Metadata}, scope=\"buy read\"")]
    public async Task Without_a_token_the_challenge_names_no_error(string tenant, string challenge)
    {
        var answer = await AskAsync(tenant, [], McpCalls.Call("whoami"));
        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
        Assert.Contains($"\r\nWWW-Authenticate: {challenge}\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acme", "Bearer error=\"insufficient_scope\", scope=")]
    [InlineData("initech", $"Bearer error=\"insufficient_scope\", {Metadata}, scope=")]
    public async Task Whoever_lacks_a_tools_scope_is_told_it_beside_its_own_in_the_same_words(string tenant, string challenge)
    {
        (string Token, string Scopes)[] callers =
            tenant == "acme"
                ? [(McpCalls.Acme, "buy"), (await IssueAsync("""{ "name": "reader", "scopes": ["read"] }"""), "read buy")]
                : [(Jwt(_issuer), "buy"), (Jwt(_issuer, scope: "read buys"), "read buys buy")];
        var answers = new HashSet<string>();
        foreach (var (token, scopes) in callers)
        {
            var answer = Counts().Replace(await AskAsync(tenant, [$"Authorization: Bearer {token}"], McpCalls.Call("scoped")), "");
            var header = $"\r\nWWW-Authenticate: {challenge}\"{scopes}\"\r\n";
            Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
            Assert.Contains(header, answer, StringComparison.Ordinal);
            Assert.Contains("The credentials lack the scope buy.", answer, StringComparison.Ordinal);
            answers.Add(answer.Replace(header, "", StringComparison.Ordinal));
        }

        Assert.Single(answers);
    }

    private static IEnumerable<(string Name, string[] Headers, string Body)> Shapes()
    {
        yield return ("a call", [], McpCalls.Call("whoami"));
        yield return ("a call of what anybody may call", [], McpCalls.Call("get_products"));
        yield return ("a call that needs a scope", [], McpCalls.Call("scoped"));
        yield return ("initialize", [], McpCalls.Initialize());
        yield return (
            "a call of 2026-07-28",
            ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: whoami"],
            McpCalls.Call("whoami", generation: Generation.Stateless)
        );
        yield return ("a call in a session", ["MCP-Protocol-Version: 2025-11-25", "Mcp-Session-Id: any"], McpCalls.Call("whoami"));
        yield return ("no JSON", [], "nothing");
    }

    private async Task MakeBadTokensAsync()
    {
        // Good at their own tenants, which leave them out.
        _bad["opaque, of acme"] = McpCalls.Acme;
        _bad["opaque, of globex"] = McpCalls.Globex;
        _bad["JWT, of initech"] = Jwt(_issuer);
        _bad["JWT, of umbra"] = Jwt(_issuer, "umbra-api");

        var (revokedId, revoked) = await IssueWithIdAsync("""{ "name": "second" }""");
        await AdminAsync(HttpMethod.Delete, $"/acme/principals/{revokedId}");
        _bad["revoked"] = revoked;
        var (rotatedId, rotated) = await IssueWithIdAsync("""{ "name": "third" }""");
        await AdminAsync(HttpMethod.Post, $"/acme/principals/{rotatedId}/rotate?overlap=60");
        _bad["rotated, and its overlap over"] = rotated;
        _time.Advance(TimeSpan.FromSeconds(61));

        _bad["opaque, never issued"] = "acme." + Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        _bad["opaque, of no tenant"] = "nobody." + Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        _bad["opaque, cut"] = McpCalls.Acme[..^1];
        _bad["opaque, in another case"] = McpCalls.Acme.ToUpperInvariant();
        _bad["garbage"] = "garbage";
        _bad["garbage of three parts"] = "a.b.c";
        _bad["too long"] = new string('x', 20_000);
        _bad["JWT, expired"] = Jwt(_issuer, expires: DateTime.UtcNow.AddMinutes(-5));
        _bad["JWT, of another audience"] = Jwt(_issuer, "elsewhere");
        _bad["JWT, unknown key"] = Jwt(_issuer, signing: TestIssuer.NewKey());
        _bad["JWT, forged"] = Jwt(_issuer, signing: TestIssuer.NewKey(_issuer.Signing.Kid));
        _bad["JWT, cut"] = Jwt(_issuer)[..^4];
        _bad["JWT, unsigned"] = $"{Base64UrlEncoder.Encode("""{"alg":"none"}""")}.{Jwt(_issuer).Split('.')[1]}.";
    }

    // All that came, but for the time.
    private async Task<string> AskAsync(string tenant, IEnumerable<string> headers, string body)
    {
        var answer = await RawHttp.PostAsync(_server.Port, $"/{tenant}/mcp", ["Host: localhost", .. headers], body);
        return Date().Replace(answer.Text, "");
    }

    private async Task<string> IssueAsync(string principal) => (await IssueWithIdAsync(principal)).Token;

    private async Task<(string Id, string Token)> IssueWithIdAsync(string principal)
    {
        var issued = await AdminAsync(HttpMethod.Post, "/acme/principals", principal);
        return (issued!["id"]!.ToString(), issued["token"]!.ToString());
    }

    private async Task<JsonNode?> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var answer = await _server.AdminAsync(method, path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return answer.StatusCode == HttpStatusCode.NoContent ? null : await McpCalls.ReadAsync(answer);
    }

    [GeneratedRegex("\r\nDate: [^\r]+")]
    private static partial Regex Date();

    [GeneratedRegex("\r\nRateLimit: [^\r]+")]
    private static partial Regex Counts();

    private sealed class Tools
    {
        [McpServerTool(Name = "scoped"), RequireScope("buy")]
        public static string Scoped() => "done";
    }
}
