using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>What an issuer signs for its audience, and is no access token that may be shown here.</summary>
/// <remarks>The tests of one server show it 45 bad tokens. An address may show a tenant 60 a minute, and the clock stands still.</remarks>
[Tier(Tier.Server)]
public sealed class TokenKindsTests(TenantsOfOneIssuer tenants) : IClassFixture<TenantsOfOneIssuer>
{
    private const string Good = """ "sub":"alice" """;

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
    [InlineData(""" "typ":"JWT" """, ""","nonce":"n","scp":["read"]""", "", true, false)]
    [InlineData(""" "typ":"JWT" """, ""","nonce":"n","roles":["buy"]""", "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","nonce":"n","permissions":["buy"]""", "tokenType", false, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","nonce":"n","roles":["buy"]""", "", true, true)]
    [InlineData(""" "typ":"at+jwt" """, ""","nonce":"n" """, "", true, true)]
    [InlineData(""" "typ":"JWT" """, ""","token_type":"urn:ietf:params:oauth:token-type:id_token" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","token_type":"urn:ietf:params:oauth:token-type:refresh_token" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","token_type":"urn:ietf:params:oauth:token-type:access_token" """, "", true, false)]
    [InlineData(""" "typ":"JWT" """, ""","tokenUse":"id" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","tokenUse":"refresh" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","tokenUse":"access" """, "", true, false)]
    [InlineData(""" "typ":"JWT" """, ""","ati":"x" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","grant_type":"refresh_token" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","grant_type":"refresh_token","scope":"read" """, "", true, false)]
    // The audience is the client's id, as that of an ID token is.
    [InlineData(""" "typ":"JWT" """, ""","azp":"any" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","client_id":"any" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","cid":"any" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","appid":"any" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","azp":"any","email":"a@x","name":"A","jti":"1" """, "tokenType", false, false)]
    [InlineData(""" "typ":"JWT" """, ""","azp":"any","scope":"read" """, "", true, false)]
    [InlineData(""" "typ":"JWT" """, ""","azp":"any","idtyp":"app" """, "", true, false)]
    [InlineData(""" "typ":"at+jwt" """, ""","azp":"any" """, "", true, true)]
    [InlineData(""" "typ":"JWT" """, ""","azp":"web" """, "", true, false)]
    [InlineData(""" "typ":"at+jwt","typ":"JWT" """, "", "malformed", false, false)]
    public async Task Only_access_tokens_are_taken(string head, string claims, string cause, bool isGood, bool isGoodWhereStrict)
    {
        var token = tenants.Token(Good.Trim() + claims, head.Trim());
        Assert.Equal(isGood ? "good" : cause, await tenants.JudgeAsync("any", token));
        Assert.Equal(isGoodWhereStrict, await tenants.JudgeAsync("strict", token) == "good");
        Assert.Equal(isGood ? 200 : 401, await tenants.CallAsync("any", token));
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
        Assert.Equal(cause, await tenants.JudgeAsync("any", token));

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
        Assert.Equal(
            cause,
            await tenants.JudgeAsync(
                "any",
                tenants.Sign($$"""{"iss":"{{tenants.Issuer.Url}}","aud":"any","sub":"alice",{{claims.Trim()}}}""")
            )
        );

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
            await tenants.JudgeAsync(
                "any",
                tenants.Sign($$"""{"iss":"{{tenants.Issuer.Url}}","aud":{{audience}},"exp":4102444800,"sub":"alice"}""")
            )
        );

    [Theory]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("[\"x\"]")]
    public async Task An_issuer_is_a_text(string issuer) =>
        Assert.Equal(
            "issuer",
            await tenants.JudgeAsync("any", tenants.Sign($$"""{"iss":{{issuer}},"aud":"any","exp":4102444800,"sub":"alice"}"""))
        );

    [Fact]
    public async Task Scopes_come_from_the_claims_that_the_tenant_names_and_from_texts_alone()
    {
        var claims = """ "sub":"alice","roles":["buy","read all",7,{"x":"write"},["write"]],"permissions":"list show","other":"write" """;
        Assert.Equal(["buy", "list", "show"], await tenants.ScopesAsync("roles", claims));
        Assert.Empty(await tenants.ScopesAsync("any", claims));
        Assert.Equal(["read"], await tenants.ScopesAsync("any", """ "sub":"alice","scope":"read","scp":{"x":" write "} """));
        Assert.Equal(["read", "buy"], await tenants.ScopesAsync("any", """ "sub":"alice","scp":["read","buy"] """));
        Assert.Empty(await tenants.ScopesAsync("roles", """ "sub":"alice","realm":{"roles":["write"]} """));
    }
}
