using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>
/// What an issuer signs for its audience, and is no access token that may be shown here; and keys that change under their ids.
/// </summary>
[Tier(Tier.Server)]
public sealed class TokenKindsTests : IAsyncLifetime
{
    private const string Good = """ "sub":"alice" """;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private StubServer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.AddSingleton<TimeProvider>(_time)
        );
        await RegisterAsync("any", "");
        await RegisterAsync("strict", ""","tokenType":"at+jwt" """);
        await RegisterAsync("roles", ""","scopeClaims":["roles","permissions","realm"]""");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
        _key.Dispose();
    }

    [Theory]
    [InlineData("""  """, "", "", true, false)]
    [InlineData(""" "typ":null """, "", "", true, false)]
    [InlineData(""" "typ":"" """, "", "", true, false)]
    [InlineData(""" "typ":"JWT" """, "", "", true, false)]
    [InlineData(""" "typ":"jwt" """, "", "", true, false)]
    [InlineData(""" "typ":"at+jwt" """, "", "", true, true)]
    [InlineData(""" "typ":"AT+JWT" """, "", "", true, true)]
    [InlineData(""" "typ":"application/at+jwt" """, "", "", true, true)]
    [InlineData(""" "typ":"at+jwt " """, "", "tokenType", false, false)]
    [InlineData(""" "typ":"logout+jwt" """, "", "tokenType", false, false)]
    [InlineData(""" "typ":"secevent+jwt" """, "", "tokenType", false, false)]
    [InlineData(""" "typ":"dpop+jwt" """, "", "tokenType", false, false)]
    [InlineData(""" "typ":"id_token" """, "", "tokenType", false, false)]
    [InlineData(""" "typ":7 """, "", "tokenType", false, false)]
    [InlineData(""" "typ":["at+jwt"] """, "", "tokenType", false, false)]
    [InlineData(""" "crit":["exp"],"exp":1 """, "", "critical", false, false)]
    [InlineData(""" "crit":["b64"],"b64":false """, "", "critical", false, false)]
    [InlineData(""" "crit":[] """, "", "critical", false, false)]
    [InlineData(""" "crit":null """, "", "critical", false, false)]
    [InlineData(""" "crit":"x" """, "", "critical", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","cnf":{"jkt":"x"}""", "bound", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","cnf":{"x5t#S256":"x"}""", "bound", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","cnf":{}""", "bound", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","cnf":null""", "bound", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","token_use":"access" """, "", true, true)]
    [InlineData(""" "typ":"at+jwt" """, ""","token_use":"id" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","token_use":"ID" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","token_use":"refresh" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","token_use":["access"]""", "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","typ":"ID" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","typ":"Logout" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","typ":"Bearer" """, "", true, true)]
    [InlineData(""" "typ":"at+jwt" """, ""","typ":7""", "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","at_hash":"x" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","c_hash":"x" """, "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","events":{}""", "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","nonce":"n" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","nonce":"n","scope":"read" """, "", true, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","nonce":"n" """, "", true, true)]
    [InlineData(""" "typ":"at+jwt","typ":"JWT" """, "", "malformed", false, false)]
    public async Task Only_access_tokens_are_taken(string head, string claims, string cause, bool isGood, bool isGoodWhereStrict)
    {
        var token = Token(Good.Trim() + claims, head.Trim());
        Assert.Equal(isGood ? "good" : cause, await JudgeAsync("any", token));
        Assert.Equal(isGoodWhereStrict, await JudgeAsync("strict", token) == "good");
        Assert.Equal(isGood ? 200 : 401, await CallAsync("any", token));
    }

    [Theory]
    [InlineData("opaque-token", "opaque")]
    [InlineData("a.b", "opaque")]
    [InlineData("a.b.c.d", "opaque")]
    [InlineData("a.b.c.d.e.f.g", "opaque")]
    [InlineData("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", "encrypted")]
    [InlineData("a.b.c", "malformed")]
    [InlineData("..", "malformed")]
    [InlineData("e30=.e30.AA", "malformed")]
    [InlineData("e30 .e30.AA", "malformed")]
    [InlineData("W10.e30.AA", "malformed")]
    [InlineData("e30.e30.AA", "issuer")]
    public async Task What_is_no_signed_token_is_told_apart(string token, string cause) =>
        Assert.Equal(cause, await JudgeAsync("any", token));

    [Theory]
    [InlineData(""" "exp":"4102444800" """, "lifetime")]
    [InlineData(""" "exp":null """, "lifetime")]
    [InlineData(""" "exp":[4102444800] """, "lifetime")]
    [InlineData(""" "exp":-1 """, "expired")]
    [InlineData(""" "exp":1e300 """, "good")]
    [InlineData(""" "exp":4102444800.5 """, "good")]
    [InlineData(""" "exp":4102444800,"nbf":4102444000 """, "lifetime")]
    [InlineData(""" "exp":4102444800,"nbf":"0" """, "lifetime")]
    [InlineData(""" "exp":4102444800,"nbf":null """, "good")]
    public async Task A_token_has_a_time(string claims, string cause) =>
        Assert.Equal(cause, await JudgeAsync("any", Sign($$"""{"iss":"{{_issuer.Url}}","aud":"any","sub":"alice",{{claims.Trim()}}}""")));

    [Theory]
    [InlineData("\"any\"", "good")]
    [InlineData("[\"other\",\"any\"]", "good")]
    [InlineData("[]", "audience")]
    [InlineData("null", "audience")]
    [InlineData("7", "audience")]
    [InlineData("{\"any\":\"any\"}", "audience")]
    [InlineData("[\"any\",7]", "audience")]
    [InlineData("[[\"any\"]]", "audience")]
    [InlineData("\"Any\"", "audience")]
    [InlineData("\"any \"", "audience")]
    [InlineData("\"any/\"", "audience")]
    [InlineData("\"\"", "audience")]
    public async Task An_audience_is_compared_byte_for_byte(string audience, string cause) =>
        Assert.Equal(
            cause,
            await JudgeAsync("any", Sign($$"""{"iss":"{{_issuer.Url}}","aud":{{audience}},"exp":4102444800,"sub":"alice"}"""))
        );

    [Theory]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("[\"x\"]")]
    public async Task An_issuer_is_a_text(string issuer) =>
        Assert.Equal("issuer", await JudgeAsync("any", Sign($$"""{"iss":{{issuer}},"aud":"any","exp":4102444800,"sub":"alice"}""")));

    [Fact]
    public async Task Scopes_come_from_the_claims_that_the_tenant_names_and_from_texts_alone()
    {
        var claims = """ "sub":"alice","roles":["buy","read all",7,{"x":"write"},["write"]],"permissions":"list show","other":"write" """;
        Assert.Equal(["buy", "list", "show"], await ScopesAsync("roles", claims));
        Assert.Empty(await ScopesAsync("any", claims));
        Assert.Equal(["read"], await ScopesAsync("any", """ "sub":"alice","scope":"read","scp":{"x":" write "} """));
        Assert.Equal(["read", "buy"], await ScopesAsync("any", """ "sub":"alice","scp":["read","buy"] """));
        Assert.Empty(await ScopesAsync("roles", """ "sub":"alice","realm":{"roles":["write"]} """));
    }

    [Fact]
    public async Task A_key_that_takes_the_place_of_another_under_its_id_is_found_within_a_minute()
    {
        Assert.Equal(200, await CallAsync("any", Token(""" "sub":"before" """)));
        Assert.Equal(200, await CallAsync("any", Token(""" "sub":"kept" """)));
        var old = Token(""" "sub":"old" """);
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _issuer.Answer = StubServer.Issuer(TestKeys.Set(TestKeys.Ec(_key, "one")));
        var loads = _issuer.Paths.Count;

        // Just now the keys were loaded: the first bad signature has to wait for its turn.
        Assert.Equal(401, await CallAsync("any", Token(""" "sub":"alice" """)));
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        Assert.Equal(200, await CallAsync("any", Token(""" "sub":"alice" """)));
        Assert.Equal(401, await CallAsync("any", old));
        Assert.Equal(loads + 2, _issuer.Paths.Count);
    }

    [Fact]
    public async Task A_flood_of_bad_signatures_loads_the_keys_once_a_minute()
    {
        Assert.Equal(200, await CallAsync("any", Token(Good)));
        using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var loads = Loads();
        for (var minute = 0; minute < 3; minute++)
        {
            _time.Advance(IssuerKeys.UnknownKeyInterval);
            for (var i = 0; i < 40; i++)
            {
                Assert.Equal("signature", await JudgeAsync("any", Token($""" "sub":"{i}" """, by: forger)));
            }

            Assert.Equal(loads + minute + 1, Loads());
            Assert.Equal("good", await JudgeAsync("any", Token($""" "sub":"honest{minute}" """)));
        }

        int Loads() => _issuer.Paths.Count(path => path == "/keys");
    }

    [Fact]
    public async Task Tokens_by_Ed25519_are_good()
    {
        var (secret, key) = Outbound.IssuerKeySetTests.NewEd25519();
        _issuer.Answer = StubServer.Issuer(TestKeys.Set(key));
        await RegisterAsync("edwards", "");
        byte[] Sign(byte[] data)
        {
            var signature = new byte[64];
            Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Sign(secret, 0, data, 0, data.Length, signature, 0);
            return signature;
        }

        var claims = RawToken.Claims(_issuer.Url, "edwards", Good.Trim());
        Assert.Equal(200, await CallAsync("edwards", RawToken.Sign("""{"alg":"EdDSA","kid":"ed"}""", claims, Sign)));
        Assert.Equal(200, await CallAsync("edwards", RawToken.Sign("""{"alg":"Ed25519"}""", claims, Sign)));
        Assert.Equal(401, await CallAsync("edwards", RawToken.Sign("""{"alg":"ES256","kid":"ed"}""", claims, Sign)));
        Assert.Equal(
            401,
            await CallAsync(
                "edwards",
                RawToken.Sign("""{"alg":"EdDSA","kid":"ed"}""", claims.Replace("alice", "mallory", StringComparison.Ordinal), _ =>
                    new byte[64]
                )
            )
        );
    }

    private async Task RegisterAsync(string id, string settings)
    {
        using var response = await _server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$$"""{"id":"{{{id}}}","authentication":{"kind":"jwks","issuer":"{{{_issuer.Url}}}","audiences":["{{{id}}}"]{{{settings}}}}}"""
        );
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    // Each tenant of one issuer has an audience of its own, and here a token has all of them.
    private string Token(string claims, string head = "", ECDsa? by = null) =>
        Sign(
            RawToken
                .Claims(_issuer.Url, "AUDIENCES", claims.Trim(), _time.GetUtcNow().AddHours(1))
                .Replace("\"AUDIENCES\"", """["any","strict","roles"]""", StringComparison.Ordinal),
            head,
            by
        );

    private string Sign(string claims, string head = "", ECDsa? by = null) =>
        RawToken.Sign($$"""{"alg":"ES256","kid":"one"{{(head.Length > 0 ? "," : "")}}{{head}}}""", claims, RawToken.By(by ?? _key));

    private async Task<string> JudgeAsync(string tenant, string token)
    {
        var (_, refusal) = await CheckAsync(tenant, token);
        return refusal is null ? "good" : JsonSerializer.Serialize(refusal.Cause).Trim('"');
    }

    private async Task<(BelievedToken? Token, TokenRefusal? Refusal)> CheckAsync(string tenant, string token)
    {
        var jwts = _server.Services.GetRequiredService<TenantJwts>();
        return await jwts.CheckAsync(jwts.Get(_server.Services.GetRequiredService<TenantRegistry>().Get(tenant)!), token, Cancellation);
    }

    private async Task<IEnumerable<string>> ScopesAsync(string tenant, string claims) =>
        CallerScopes.All((await CheckAsync(tenant, Token(claims))).Token!.User);

    private async Task<int> CallAsync(string tenant, string token)
    {
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }
}
