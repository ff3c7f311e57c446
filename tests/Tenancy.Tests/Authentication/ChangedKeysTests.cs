using System.Security.Cryptography;
using Tenancy.Authentication;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Keys that change under their ids, and signatures by keys that the issuer never had.</summary>
[Tier(Tier.Server)]
public sealed class ChangedKeysTests : IAsyncLifetime
{
    private const string Good = """ "sub":"alice" """;
    private readonly TenantsOfOneIssuer _tenants = new();

    public ValueTask InitializeAsync() => _tenants.InitializeAsync();

    public ValueTask DisposeAsync() => _tenants.DisposeAsync();

    [Fact]
    public async Task A_key_that_takes_the_place_of_another_under_its_id_is_found_within_a_minute()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"before" """)));
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"kept" """)));
        var old = _tenants.Token(""" "sub":"old" """);
        _tenants.ReplaceKey();
        var loads = _tenants.Issuer.Paths.Count;

        // Just now the keys were loaded: the first bad signature has to wait for its turn.
        Assert.Equal(401, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"alice" """)));
        _tenants.Time.Advance(IssuerKeys.UnknownKeyInterval);
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"alice" """)));
        Assert.Equal(401, await _tenants.CallAsync("any", old));
        Assert.Equal(loads + 2, _tenants.Issuer.Paths.Count);
    }

    [Fact]
    public async Task A_flood_of_bad_signatures_loads_the_keys_once_a_minute()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
        using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var loads = Loads();
        for (var minute = 0; minute < 3; minute++)
        {
            _tenants.Time.Advance(IssuerKeys.UnknownKeyInterval);
            for (var i = 0; i < 40; i++)
            {
                Assert.Equal("signature", await _tenants.JudgeAsync("any", _tenants.Token($""" "sub":"{i}" """, by: forger)));
            }

            Assert.Equal(loads + minute + 1, Loads());
            Assert.Equal("good", await _tenants.JudgeAsync("any", _tenants.Token($""" "sub":"honest{minute}" """)));
        }

        int Loads() => _tenants.Issuer.Paths.Count(path => path == "/keys");
    }

    [Fact]
    public async Task An_admin_who_takes_a_key_back_and_rechecks_has_it_refused_at_once()
    {
        var (seen, stolen) = (_tenants.Token(""" "sub":"seen" """), _tenants.Token(""" "sub":"stolen" """));
        Assert.Equal(200, await _tenants.CallAsync("any", seen));
        _tenants.Issuer.Answer = StubServer.Issuer("""{ "keys": [] }""");
        await _tenants.RecheckAsync("any", "disabled");
        _tenants.ReplaceKey();
        await _tenants.RecheckAsync("any", "healthy");
        Assert.Equal(401, await _tenants.CallAsync("any", stolen));
        Assert.Equal(401, await _tenants.CallAsync("any", seen));
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
    }

    [Fact]
    public async Task Keys_that_a_check_has_read_take_the_place_of_those_that_serve()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
        var stolen = _tenants.Token(""" "sub":"stolen" """);
        _tenants.ReplaceKey();
        await _tenants.RecheckAsync("any", "healthy");
        Assert.Equal(401, await _tenants.CallAsync("any", stolen));
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"new" """)));
    }

    [Fact]
    public async Task A_change_that_did_not_pass_leaves_the_keys_that_serve()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
        await using var other = await StubServer.StartIssuerAsync("""{ "keys": [] }""");
        Assert.Equal(422, await _tenants.ChangeAsync("any", $$"""{ "authentication": { "issuer": "{{other.Url}}" } }"""));
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"later" """)));
    }

    [Fact]
    public async Task To_explain_a_token_changes_nothing_of_the_keys_that_serve()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
        var (second, third) = (_tenants.Token(""" "sub":"second" """), _tenants.Token(""" "sub":"third" """));
        _tenants.Time.Advance(IssuerKeys.UnknownKeyInterval);
        var published = _tenants.Issuer.Answer;
        _tenants.Issuer.Answer = StubServer.Issuer("""{ "keys": [] }""");
        using (var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            Assert.Equal((false, "signature"), await ExplainAsync(_tenants.Token(Good, by: forger)));
        }

        Assert.Equal(200, await _tenants.CallAsync("any", second));

        // It knows the issuer's newest key, and leaves it to the door to look for that.
        _tenants.Issuer.Answer = published;
        _tenants.ReplaceKey();
        var newest = _tenants.Token(""" "sub":"newest" """);
        Assert.Equal((true, null), await ExplainAsync(newest));
        Assert.Equal(200, await _tenants.CallAsync("any", third));
        Assert.Equal(200, await _tenants.CallAsync("any", newest));

        async Task<(bool, string?)> ExplainAsync(string token)
        {
            using var answer = await _tenants.Server.AdminAsync(HttpMethod.Post, "/any/explain-token", new { token });
            var explained = await McpCalls.ReadAsync(answer);
            return ((bool)explained["accepted"]!, (string?)explained["cause"]);
        }
    }

    [Fact]
    public async Task A_token_that_is_still_believed_is_explained_so_with_what_comes_after()
    {
        var token = _tenants.Token(Good);
        Assert.Equal(200, await _tenants.CallAsync("any", token));
        _tenants.ReplaceKey();
        _tenants.Time.Advance(IssuerKeys.UnknownKeyInterval);
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(""" "sub":"new" """)));
        Assert.Equal(200, await _tenants.CallAsync("any", token));
        using var answer = await _tenants.Server.AdminAsync(HttpMethod.Post, "/any/explain-token", new { token });
        var explained = await McpCalls.ReadAsync(answer);
        Assert.True((bool)explained["accepted"]!);
        Assert.Contains("believes it so long. After that: ", (string)explained["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_issuer_is_away_a_token_is_explained_by_the_keys_that_go_on_to_serve()
    {
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
        _tenants.Issuer.Answer = static context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        _tenants.Time.Advance(IssuerKeys.RefreshInterval);
        var token = _tenants.Token(""" "sub":"new" """);
        using var answer = await _tenants.Server.AdminAsync(HttpMethod.Post, "/any/explain-token", new { token });
        Assert.True((bool)(await McpCalls.ReadAsync(answer))["accepted"]!);
        Assert.Equal(200, await _tenants.CallAsync("any", token));
    }

    [Fact]
    public async Task A_member_however_deep_keeps_no_tenant_from_its_keys()
    {
        var deep = $"{new string('[', 100)}{new string(']', 100)}";
        var keys = TestKeys.Set(TestKeys.Ec(_tenants.Key, "one"));
        _tenants.Issuer.Answer = StubServer.Issuer($$"""{"more":{{deep}},{{keys[1..]}}""");
        await _tenants.RecheckAsync("any", "healthy");
        Assert.Equal(200, await _tenants.CallAsync("any", _tenants.Token(Good)));
    }

    [Fact]
    public async Task Tokens_by_Ed25519_are_good()
    {
        var (secret, key) = Outbound.IssuerKeySetTests.NewEd25519();
        _tenants.Issuer.Answer = StubServer.Issuer(TestKeys.Set(key));
        await _tenants.RegisterAsync("edwards", "");
        byte[] Sign(byte[] data)
        {
            var signature = new byte[64];
            Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Sign(secret, 0, data, 0, data.Length, signature, 0);
            return signature;
        }

        var claims = RawToken.Claims(_tenants.Issuer.Url, "edwards", Good.Trim());
        Assert.Equal(200, await _tenants.CallAsync("edwards", RawToken.Sign("""{"alg":"EdDSA","kid":"ed"}""", claims, Sign)));
        Assert.Equal(200, await _tenants.CallAsync("edwards", RawToken.Sign("""{"alg":"Ed25519"}""", claims, Sign)));
        Assert.Equal(401, await _tenants.CallAsync("edwards", RawToken.Sign("""{"alg":"ES256","kid":"ed"}""", claims, Sign)));
        Assert.Equal(
            401,
            await _tenants.CallAsync(
                "edwards",
                RawToken.Sign("""{"alg":"EdDSA","kid":"ed"}""", claims.Replace("alice", "mallory", StringComparison.Ordinal), _ =>
                    new byte[64]
                )
            )
        );
    }
}
