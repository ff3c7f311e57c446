using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Authentication;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>
/// Every kind of token against every tenant, by every way to name one. Only what a tenant's own issuer made for it gets in.
/// </summary>
[Tier(Tier.Process)]
public sealed class TokenConfusionTests : IAsyncLifetime
{
    private const string InToken = "token";

    // The first two share an identity provider; the last has opaque tokens.
    private static readonly string[] Tenants = ["initech", "hooli", "umbra", "plain"];
    private static readonly string[] Ways = [nameof(Way.Path), nameof(Way.Host), nameof(Way.Header), InToken];

    private readonly Dictionary<string, TestIssuer> _issuers = [];
    private RedisServer _redis = null!;
    private TenancyServer _server = null!;
    private TenancyServer _byToken = null!;
    private string _revoked = null!;
    private string _opaque = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuers["initech"] = _issuers["hooli"] = await TestIssuer.StartAsync();
        _issuers["umbra"] = await TestIssuer.StartAsync();
        _redis = await RedisServer.StartAsync();
        _server = await StartAsync("path,host,header");
        foreach (var tenant in _issuers.Keys)
        {
            await RegisterAsync(
                $$"""{ "id": "{{tenant}}", "authentication": { "kind": "jwks", "issuer": "{{_issuers[tenant].Url}}", "audiences":"""
                    + $$""" ["{{Audience(tenant)}}"] } }"""
            );
        }

        var plain = await RegisterAsync("""{ "id": "plain", "principals": [{ "name": "one" }, { "name": "two" }] }""");
        _opaque = plain["principals"]![0]!["token"]!.ToString();
        _revoked = plain["principals"]![1]!["token"]!.ToString();
        (await _server.AdminAsync(HttpMethod.Delete, $"/plain/principals/{plain["principals"]![1]!["id"]}")).Dispose();

        // A server of its own: where the other ways are read too, a token that names another tenant is a contradiction before anybody
        // checks it.
        _byToken = await StartAsync("token");
    }

    public async ValueTask DisposeAsync()
    {
        await _byToken.DisposeAsync();
        await _server.DisposeAsync();
        await _redis.DisposeAsync();
        foreach (var issuer in _issuers.Values.Distinct())
        {
            await issuer.DisposeAsync();
        }
    }

    [Fact]
    public async Task Exactly_the_diagonal_passes()
    {
        var matrix = new StringBuilder()
            .AppendLine()
            .Append(' ', 46)
            .AppendJoin(' ', Tenants.SelectMany(tenant => Ways.Select(way => $"{tenant[..3]}/{way[..2]}")))
            .AppendLine();
        var mistakes = new List<string>();
        foreach (var (kind, owner, token, isGood) in await TokensAsync())
        {
            matrix.Append($"{kind} of {owner}".PadRight(46));
            foreach (var tenant in Tenants)
            {
                foreach (var way in Ways)
                {
                    var status = await CallAsync(tenant, way, token);
                    matrix.Append(status == HttpStatusCode.OK ? "  ok   " : $"  {(int)status}  ");
                    if ((status == HttpStatusCode.OK) != (isGood && owner == tenant))
                    {
                        mistakes.Add($"{kind} of {owner} at {tenant} by {way}: {status}");
                    }
                }
            }

            matrix.AppendLine();
        }

        TestContext.Current.TestOutputHelper!.WriteLine(matrix.ToString());
        Assert.Empty(mistakes);
    }

    private static string Audience(string tenant) => $"https://{tenant}.localhost/mcp";

    private static string Unsigned(string token) =>
        $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"at+jwt"}""")}.{token.Split('.')[1]}.";

    private async Task<List<(string Kind, string Owner, string Token, bool IsGood)>> TokensAsync()
    {
        var tokens = new List<(string, string, string, bool)>
        {
            ("valid", "plain", _opaque, true),
            ("revoked", "plain", _revoked, false),
            ("truncated", "plain", _opaque[..^1], false),
            ("garbage", "nobody", "garbage", false),
            ("garbage of three parts", "nobody", "a.b.c", false),
        };
        foreach (var owner in _issuers.Keys)
        {
            var issuer = _issuers[owner];
            var other = _issuers.Values.First(candidate => candidate != issuer);
            var sibling = _issuers.Keys.First(candidate => candidate != owner);
            var publicKey = ((ECDsaSecurityKey)issuer.Signing.Key).ECDsa.ExportSubjectPublicKeyInfo();
            Add("valid", await issuer.GetTokenAsync("alice", Audience(owner)), isGood: true);
            Add(
                "valid, of a client",
                issuer.Mint(Audience(owner), claims =>
                    (claims["azp"], claims["gty"], _) = ("robot", "client-credentials", claims.Remove("sub"))
                ),
                isGood: true
            );
            Add(
                "of a client, or a user without a subject",
                issuer.Mint(Audience(owner), claims => (claims["azp"], _) = ("robot", claims.Remove("sub")))
            );
            Add("other audience", issuer.Mint("https://elsewhere.example/mcp"));
            Add("other issuer", other.Mint(Audience(owner)));
            Add("its issuer's name, other key", other.Mint(Audience(owner), issuer: issuer.Url));
            Add("right claims, unknown key", issuer.Mint(Audience(owner), signing: TestIssuer.NewKey()));
            Add("its key id, other key", issuer.Mint(Audience(owner), signing: TestIssuer.NewKey(issuer.Signing.Kid)));
            Add("key id of another tenant", issuer.Mint(Audience(owner), signing: TestIssuer.NewKey(other.Signing.Kid)));
            Add("signed by another tenant's key", issuer.Mint(Audience(owner), signing: other.Signing));
            Add("expired", issuer.Mint(Audience(owner), expires: DateTime.UtcNow.AddMinutes(-5)));
            Add("without expiry", issuer.Mint(Audience(owner), expires: DateTime.MaxValue));
            Add("not yet valid", issuer.Mint(Audience(owner), notBefore: DateTime.UtcNow.AddMinutes(5)));
            Add("alg none", Unsigned(issuer.Mint(Audience(owner))));
            Add(
                "alg HS256 with the public key",
                issuer.Mint(
                    Audience(owner),
                    signing: new(new SymmetricSecurityKey(publicKey) { KeyId = issuer.Signing.Kid }, SecurityAlgorithms.HmacSha256)
                )
            );
            Add("claims exchanged", Splice(issuer.Mint(Audience(sibling)), issuer.Mint(Audience(owner))));
            Add("without audience", issuer.Mint(""));
            Add("without subject and client", issuer.Mint(Audience(owner), claims => claims.Remove("sub")));
            Add("two subjects", issuer.Mint(Audience(owner), claims => claims["sub"] = new[] { "alice", "bob" }));
            Add("oversized", issuer.Mint(Audience(owner), claims => claims["much"] = new string('x', 12 * 1024)));
            Add("of another purpose", issuer.Mint(Audience(owner), type: "logout+jwt"));

            void Add(string kind, string token, bool isGood = false) => tokens.Add((kind, owner, token, isGood));
        }

        return tokens;
    }

    private static string Splice(string signed, string claims) => $"{signed.Split('.')[0]}.{claims.Split('.')[1]}.{signed.Split('.')[2]}";

    private async Task<HttpStatusCode> CallAsync(string tenant, string way, string token)
    {
        var isInToken = way == InToken;
        using var request = McpCalls.Post(
            _server.Port,
            isInToken ? Way.Header : Enum.Parse<Way>(way),
            tenant,
            token,
            McpCalls.Call("whoami")
        );
        if (isInToken)
        {
            request.Headers.Remove("X-Tenant-ID");
        }

        using var response = await (isInToken ? _byToken : _server).Client.SendAsync(request, Cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return response.StatusCode;
        }

        // Where the token names the tenant, it may be good, only not for the tenant that is meant.
        var text = (await McpCalls.ReadAsync(response))["result"]!["content"]![0]!["text"]!.ToString();
        return text.StartsWith(tenant + "|", StringComparison.Ordinal) ? HttpStatusCode.OK
            : isInToken ? HttpStatusCode.NotFound
            : throw new InvalidOperationException($"{tenant} was asked and said {text}");
    }

    private Task<TenancyServer> StartAsync(string identification) =>
        TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Identification"] = identification,
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            redis: _redis,
            services: services =>
                services.AddSingleton(provider => new FailedChecks(provider.GetRequiredService<LocalRateLimiter>())
                {
                    PerMinute = 1_000_000,
                })
        );

    private async Task<System.Text.Json.Nodes.JsonNode> RegisterAsync(string tenant)
    {
        using var answer = await _server.AdminAsync(HttpMethod.Post, "?wait=true", tenant);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        return await McpCalls.ReadAsync(answer);
    }
}
