using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Tenancy.Authentication;
using Tenancy.Outbound;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Outbound;

namespace Tenancy.Tests.Authentication;

/// <summary>
/// Tokens are read by rules of our own. Microsoft's handler is asked for a second opinion: what is accepted here it must accept, too. What
/// it accepts beyond that is why there are rules of our own.
/// </summary>
[Tier(Tier.Server)]
public sealed class SecondReaderTests(CallerTableTests.Host callers, TenantsOfOneIssuer kinds)
    : IClassFixture<CallerTableTests.Host>,
        IClassFixture<TenantsOfOneIssuer>
{
    // A number that no time has is the last time there is here, and a claim that is null is none. There both are errors.
    private static readonly string[] KnownDifferences = ["1e300", "\"nbf\":null"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_accepted_here_is_accepted_there_with_the_same_subject()
    {
        var (accepted, differences) = (0, new List<string>());
        foreach (var (tenant, text, token) in Callers())
        {
            await CompareAsync(text, token, await callers.CheckAsync(tenant, token), callers.Issuer, Names("api-", callers.Tenants()));
        }

        foreach (var (text, token) in Kinds())
        {
            await CompareAsync(text, token, await kinds.CheckAsync("any", token), kinds.Issuer.Url, ["any", "strict", "roles"]);
        }

        Assert.Empty(differences);
        Assert.True(accepted > 60, $"{accepted} tokens were accepted");

        async Task CompareAsync(
            string text,
            string token,
            (BelievedToken? Token, TokenRefusal? Refusal) ours,
            string issuer,
            IReadOnlyList<string> audiences
        )
        {
            if (ours.Token is null || KnownDifferences.Any(text.Contains))
            {
                return;
            }

            accepted++;
            var theirs = await ReadAsync(token, await KeysAsync(issuer), issuer, audiences);
            if (!theirs.IsValid)
            {
                differences.Add($"{text}: {theirs.Exception.Message}");
            }
            else if (
                ours.Token.User.FindFirst("sub")?.Value is { } subject
                && theirs.SecurityToken is JsonWebToken { Subject: var other }
                && other != subject
            )
            {
                differences.Add($"{text}: '{subject}' here is '{other}' there");
            }
        }
    }

    [Theory]
    [InlineData("", """ "sub":107691503500061507151 """, "subject")]
    [InlineData("", """ "sub":"alice","sub":"bob" """, "malformed")]
    [InlineData(""" "crit":["b64"],"b64":false """, """ "sub":"alice" """, "critical")]
    [InlineData("", """ "sub":"alice","cnf":{"jkt":"x"} """, "bound")]
    [InlineData("", """ "sub":"alice","at_hash":"x" """, "tokenType")]
    [InlineData("", """ "sub":"alice","token_use":"id" """, "tokenType")]
    public async Task What_is_refused_here_is_accepted_there(string head, string claims, string cause)
    {
        var token = kinds.Token(claims, head.Trim());
        Assert.Equal(cause, await kinds.JudgeAsync("any", token));
        var theirs = await ReadAsync(token, await KeysAsync(kinds.Issuer.Url), kinds.Issuer.Url, ["any"]);
        Assert.True(theirs.IsValid, theirs.Exception?.Message);
    }

    [Fact]
    public async Task Two_users_whose_ids_are_numbers_are_one_there_and_of_two_subjects_the_last_counts()
    {
        Assert.Equal(await SubjectAsync(""" "sub":107691503500061507151 """), await SubjectAsync(""" "sub":107691503500061507999 """));
        Assert.Equal("bob", await SubjectAsync(""" "sub":"alice","sub":"bob" """));

        async Task<string> SubjectAsync(string claims) =>
            (
                (JsonWebToken)
                    (await ReadAsync(kinds.Token(claims), await KeysAsync(kinds.Issuer.Url), kinds.Issuer.Url, ["any"])).SecurityToken
            ).Subject;
    }

    [Theory]
    [InlineData("the algorithm of a key", true, false)]
    [InlineData("a key with an expired certificate", false, true)]
    [InlineData("Ed25519", false, true)]
    public async Task Keys_are_read_otherwise_there(string what, bool isGoodThere, bool isGoodHere)
    {
        using var rsa = RSA.Create(2048);
        var key = TestKeys.Rsa(rsa, "one");
        var (algorithm, sign) = ("RS256", RawToken.By(rsa));
        switch (what)
        {
            case "Ed25519":
                (var secret, key) = IssuerKeySetTests.NewEd25519();
                key["kid"] = "one";
                (algorithm, sign) = ("EdDSA", data => Sign(secret, data));
                break;
            case "the algorithm of a key":
                key["alg"] = "RS256";
                (algorithm, sign) = ("PS256", RawToken.By(rsa, padding: RSASignaturePadding.Pss));
                break;
            default:
                var request = new CertificateRequest("CN=idp", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                var expired = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(-1));
                key["x5c"] = new JsonArray(Convert.ToBase64String(expired.RawData));
                break;
        }

        var keys = TestKeys.Set(key);
        var token = RawToken.Sign(
            $$"""{"alg":"{{algorithm}}","kid":"one"}""",
            RawToken.Claims("https://id.example", "any", """ "sub":"alice" """.Trim()),
            sign
        );
        Assert.Equal(isGoodThere, (await ReadAsync(token, keys, "https://id.example", ["any"])).IsValid);
        var parts = token.Split('.');
        var signed = System.Text.Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        var found = SignatureAlgorithm.Find(algorithm)!;
        Assert.Equal(
            isGoodHere,
            IssuerKeySet.Read(keys).Find("one", found).Any(one => one.Verify(signed, Base64UrlEncoder.DecodeBytes(parts[2]), found))
        );
    }

    private static byte[] Sign(byte[] secret, byte[] data)
    {
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(secret, 0, data, 0, data.Length, signature, 0);
        return signature;
    }

    // All tokens of CallerTableTests.
    private IEnumerable<(string Tenant, string Text, string Token)> Callers() =>
        CallerTableTests
            .Table.Select(row => row.Data)
            .Select(row => (row.Item3.Length == 0 ? "plain" : row.Item3.Replace('+', '-'), row.Item4))
            .Concat(CallerTableTests.Subjects.Select(row => ("plain", row.Data.Item1)))
            .Select(row => (row.Item1, row.Item2, callers.Token(row.Item2)));

    // All tokens of TokenKindsTests, which stand there in attributes.
    private IEnumerable<(string Text, string Token)> Kinds()
    {
        string All(string claims) => $$"""{"iss":"{{kinds.Issuer.Url}}",{{claims}}}""";
        foreach (var row in Rows(nameof(TokenKindsTests.Only_access_tokens_are_taken)))
        {
            yield return ($"{row[0]}{row[1]}", kinds.Token($""" "sub":"alice"{row[1]} """, row[0].Trim()));
        }

        foreach (var row in Rows(nameof(TokenKindsTests.A_token_has_a_time)))
        {
            yield return (row[0], kinds.Sign(All($""" "aud":"any","sub":"alice",{row[0].Trim()} """.Trim())));
        }

        foreach (var row in Rows(nameof(TokenKindsTests.An_audience_is_compared_byte_for_byte)))
        {
            yield return (row[0], kinds.Sign(All($""" "aud":{row[0]},"exp":4102444800,"sub":"alice" """.Trim())));
        }
    }

    private static IEnumerable<string[]> Rows(string method) =>
        typeof(TokenKindsTests)
            .GetMethod(method)!
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(row => row.Data.Select(value => $"{value}").ToArray());

    private static IReadOnlyList<string> Names(string prefix, IEnumerable<string> ids) => [.. ids.Select(id => prefix + id)];

    private static async Task<string> KeysAsync(string issuer)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri(issuer + "/keys"), Cancellation);
    }

    private static Task<TokenValidationResult> ReadAsync(string token, string keys, string issuer, IReadOnlyList<string> audiences) =>
        new JsonWebTokenHandler().ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                ValidIssuer = issuer,
                ValidAudiences = audiences,
                IssuerSigningKeys = new JsonWebKeySet(keys).GetSigningKeys(),
                ValidateIssuerSigningKey = true,
                ClockSkew = TokenRules.ClockSkew,
            }
        );
}
