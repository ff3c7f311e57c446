using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Tenancy.Outbound;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Outbound;

/// <summary>What an issuer publishes as its keys, and which signatures each may check.</summary>
public sealed class IssuerKeySetTests
{
    private static readonly byte[] Data = "what is signed"u8.ToArray();
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly ECDsa Ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData(-400, -35)]
    [InlineData(35, 400)]
    [InlineData(-30, 30)]
    public void A_certificate_beside_a_key_decides_nothing(int begins, int ends)
    {
        // The certificate is another key's besides: what counts are the numbers.
        using var other = RSA.Create(2048);
        foreach (var ofCertificate in new[] { Rsa, other })
        {
            var request = new CertificateRequest("CN=idp", ofCertificate, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(begins), DateTimeOffset.UtcNow.AddDays(ends));
            var key = TestKeys.Rsa(Rsa, "one");
            key["x5c"] = new JsonArray(Convert.ToBase64String(certificate.RawData));
            key["x5t"] = Base64Url.EncodeToString(certificate.GetCertHash());
            var set = IssuerKeySet.Read(TestKeys.Set(key));
            Assert.True(Verifies(set, "one", "RS256", Sign(Rsa)));
            Assert.False(Verifies(set, "one", "RS256", Sign(other)));
        }
    }

    [Theory]
    [InlineData(40)]
    [InlineData(100_000)]
    public void A_member_however_deep_spoils_no_key(int levels)
    {
        var deep = $"{new string('[', levels)}{new string(']', levels)}";
        var odd = $$"""{"kty":"RSA","kid":"odd","n":{{deep}}}""";
        var good = TestKeys.Rsa(Rsa, "one").ToJsonString();
        var set = IssuerKeySet.Read($$"""{"keys":[{{odd}},{{good[..^1]}},"more":{{deep}}}]}""");
        Assert.True(Verifies(set, "one", "RS256", Sign(Rsa)));
    }

    [Fact]
    public void A_key_whose_algorithm_is_another_curves_can_be_used_for_nothing()
    {
        var key = TestKeys.Ec(Ec, "one");
        key["alg"] = "ES384";
        var set = IssuerKeySet.Read(TestKeys.Set(key));
        Assert.Empty(set.Keys);
        Assert.Equal(["one of the curve P-256 for the algorithm ES384"], set.LeftOut);
    }

    [Fact]
    public void One_id_may_be_that_of_keys_of_several_kinds_and_all_that_fit_are_tried()
    {
        using var second = RSA.Create(2048);
        var set = IssuerKeySet.Read(
            TestKeys.Set(
                TestKeys.Rsa(Rsa, "same"),
                TestKeys.Ec(Ec, "same"),
                TestKeys.Rsa(second, "same"),
                Without(TestKeys.Rsa(Rsa, ""), "kid")
            )
        );
        Assert.True(Verifies(set, "same", "ES256", RawToken.By(Ec)(Data)));
        Assert.True(Verifies(set, "same", "RS256", Sign(Rsa)));
        Assert.True(Verifies(set, "same", "RS256", Sign(second)));
        Assert.True(Verifies(set, null, "RS256", Sign(second)));
        Assert.True(Verifies(set, "another", "RS256", Sign(Rsa)), "a key without an id may be any");
        Assert.False(Verifies(set, "another", "RS256", Sign(second)));
    }

    [Theory]
    [InlineData("RS256", "RS256", true)]
    [InlineData("RS256", "RS512", false)]
    [InlineData("RS256", "PS256", false)]
    [InlineData("PS256", "PS256", true)]
    [InlineData("PS256", "RS256", false)]
    [InlineData("RSA-OAEP-256", "RS256", false)]
    [InlineData("ES256", "RS256", false)]
    [InlineData("HS256", "RS256", false)]
    [InlineData("rs256", "RS256", false)]
    [InlineData("none", "RS256", false)]
    [InlineData(null, "RS256", true)]
    [InlineData(null, "PS512", true)]
    [InlineData(null, "ES256", false)]
    public void A_keys_algorithm_and_type_bind_what_it_may_check(string? ofKey, string used, bool expected)
    {
        var key = TestKeys.Rsa(Rsa, "one");
        if (ofKey is not null)
        {
            key["alg"] = ofKey;
        }

        var hash = used.EndsWith("512", StringComparison.Ordinal) ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
        var padding = used[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        Assert.Equal(expected, Verifies(IssuerKeySet.Read(TestKeys.Set(key)), "one", used, RawToken.By(Rsa, hash, padding)(Data)));
    }

    [Theory]
    [InlineData("use", "\"sig\"", true)]
    [InlineData("use", "null", true)]
    [InlineData("use", "\"\"", true)]
    [InlineData("alg", "\"\"", true)]
    [InlineData("alg", "null", true)]
    [InlineData("use", "\"enc\"", false)]
    [InlineData("use", "\"SIG\"", false)]
    [InlineData("use", "7", false)]
    [InlineData("key_ops", "[\"verify\"]", true)]
    [InlineData("key_ops", "[\"sign\",\"verify\"]", true)]
    [InlineData("key_ops", "[]", true)]
    [InlineData("key_ops", "[\"encrypt\"]", false)]
    [InlineData("key_ops", "[7]", false)]
    [InlineData("key_ops", "\"verify\"", false)]
    [InlineData("alg", "7", false)]
    [InlineData("d", "\"AQAB\"", false)]
    [InlineData("d", "7", false)]
    [InlineData("d", "\"\"", true)]
    [InlineData("e", "\"AQ\"", false)]
    [InlineData("e", "\"AAE\"", false)]
    [InlineData("e", "\"\"", false)]
    [InlineData("e", "\"AA\"", false)]
    [InlineData("e", "7", false)]
    [InlineData("n", "\"AQAB\"", false)]
    [InlineData("n", "\"\"", false)]
    [InlineData("n", "\"!!\"", false)]
    [InlineData("n", "null", false)]
    [InlineData("kty", "\"rsa\"", false)]
    [InlineData("kty", "\"oct\"", false)]
    [InlineData("kty", "\"EC\"", false)]
    [InlineData("kty", "7", false)]
    [InlineData("kid", "7", true)]
    [InlineData("kid", "{}", true)]
    [InlineData("x5c", "\"text\"", true)]
    [InlineData("x5c", "[7]", true)]
    [InlineData("x5t", "7", true)]
    [InlineData("exp", "\"soon\"", true)]
    public void An_odd_key_is_left_out_an_odd_member_beside_it_is_not_looked_at_and_neither_spoils_the_set(
        string member,
        string value,
        bool isUsable
    )
    {
        var odd = TestKeys.Rsa(Rsa, "odd");
        odd[member] = JsonNode.Parse(value);
        var set = IssuerKeySet.Read(TestKeys.Set(odd, TestKeys.Ec(Ec, "good")));
        Assert.Equal(isUsable ? 2 : 1, set.Keys.Count);
        Assert.Equal(isUsable, Verifies(set, "odd", "RS256", Sign(Rsa)));
        Assert.True(Verifies(set, "good", "ES256", RawToken.By(Ec)(Data)));
        Assert.Equal(isUsable ? 0 : 1, set.LeftOut.Count);
    }

    [Theory]
    [InlineData("""{"keys":[7,"text",null,[],{}]}""")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}""")]
    [InlineData("""{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}""")]
    [InlineData("""{"keys":[{"kty":"OKP","crv":"X25519","x":"AA"}]}""")]
    [InlineData("""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}""")]
    public void What_is_no_key_is_none(string set) => Assert.Empty(IssuerKeySet.Read(set).Keys);

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"keys":null}""")]
    [InlineData("""{"keys":{}}""")]
    [InlineData("""{"error":"maintenance"}""")]
    public void What_is_no_set_of_keys_is_none(string text) => Assert.Throws<JsonException>(() => IssuerKeySet.Read(text));

    [Theory]
    [InlineData("P-256", "ES256", 0)]
    [InlineData("P-384", "ES384", 0)]
    [InlineData("P-521", "ES512", 0)]
    [InlineData("P-256", "ES256", 1)]
    [InlineData("P-384", "ES384", 1)]
    [InlineData("P-521", "ES512", 2)]
    public void A_curve_checks_its_own_algorithm_alone(string curve, string algorithm, int zeros)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName("nist" + curve.Replace("-", "", StringComparison.Ordinal)));
        var point = key.ExportParameters(false).Q;
        var json = new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = curve,
            ["kid"] = "one",
            // As issuers write them that leave out zeros, or put one before a number whose first bit is set.
            ["x"] = Base64Url.EncodeToString([.. new byte[zeros], .. point.X.AsSpan().TrimStart((byte)0)]),
            ["y"] = Base64Url.EncodeToString([.. new byte[zeros], .. point.Y.AsSpan().TrimStart((byte)0)]),
        };
        var set = IssuerKeySet.Read(TestKeys.Set(json));
        foreach (var (name, hash) in new[] { ("ES256", "SHA256"), ("ES384", "SHA384"), ("ES512", "SHA512") })
        {
            Assert.Equal(name == algorithm, Verifies(set, "one", name, RawToken.By(key, new HashAlgorithmName(hash))(Data)));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("EdDSA")]
    [InlineData("Ed25519")]
    public void Ed25519_keys_check_signatures_under_both_names_of_the_algorithm(string? ofKey)
    {
        var (secret, key) = NewEd25519();
        key["alg"] = ofKey;
        var set = IssuerKeySet.Read(TestKeys.Set(key, TestKeys.Rsa(Rsa, "rsa")));
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(secret, 0, Data, 0, Data.Length, signature, 0);
        Assert.True(Verifies(set, "ed", "EdDSA", signature));
        Assert.True(Verifies(set, "ed", "Ed25519", signature));
        Assert.False(Verifies(set, "ed", "ES256", signature));
        Assert.False(Verifies(set, "ed", "EdDSA", signature[..^1]));
        Assert.False(Verifies(set, "ed", "EdDSA", []));
        signature[5] ^= 1;
        Assert.False(Verifies(set, "ed", "EdDSA", signature));
    }

    [Fact]
    public void An_Ed25519_point_of_few_multiples_is_no_key()
    {
        // The neutral element: a signature of zeros would fit everything.
        var neutral = new byte[32];
        neutral[0] = 1;
        foreach (var point in new[] { neutral, new byte[32] })
        {
            var key = NewEd25519().Key;
            key["x"] = Base64Url.EncodeToString(point);
            Assert.Empty(IssuerKeySet.Read(TestKeys.Set(key)).Keys);
        }
    }

    [Fact]
    public void What_is_left_out_is_said_once_and_shows_nothing_of_the_key()
    {
        var odd = TestKeys.Rsa(Rsa, "one");
        odd["alg"] = "s3cret value <script>";
        var set = IssuerKeySet.Read(
            TestKeys.Set(odd, odd.DeepClone().AsObject(), TestKeys.Shared("s3cret"), TestKeys.Rsa(RSA.Create(1024), "s"))
        );
        Assert.Equal(["one for an algorithm with an odd name", "a secret that is shared (oct)", "RSA of 1024 bits"], set.LeftOut);
    }

    [Theory]
    [InlineData("""{"kty":"EC"}""", "one that names no curve (crv)")]
    [InlineData("""{"kty":"OKP","crv":7}""", "one that names no curve (crv)")]
    [InlineData("""{"kty":"EC","crv":"secp256k1"}""", "one of the curve secp256k1")]
    [InlineData("""{"kty":"EC","crv":"<b>\n"}""", "one of a curve with an odd name")]
    [InlineData("""{"kty":"<b>"}""", "one of a type with an odd name")]
    [InlineData("""{"kty":"AKP"}""", "one of the type AKP")]
    [InlineData("""{"kty":"RSA","alg":7}""", "one whose algorithm (alg) is no text")]
    [InlineData("""{"kty":"RSA","alg":"RSA-OAEP-256"}""", "one for the algorithm RSA-OAEP-256")]
    public void Why_a_key_is_left_out_says_what_it_does_not_name(string key, string why) =>
        Assert.Equal([why], IssuerKeySet.Read($$"""{"keys":[{{key}}]}""").LeftOut);

    [Fact]
    public void Of_a_set_that_is_too_large_no_more_is_read_than_shows_that()
    {
        var many = IssuerKeySet.Read(TestKeys.Set([.. Enumerable.Range(0, 200).Select(i => TestKeys.Ec(Ec, $"{i}"))]));
        Assert.Equal(65, many.Keys.Count);
        var odd = IssuerKeySet.Read(
            TestKeys.Set([.. Enumerable.Range(0, 200).Select(i => new JsonObject { ["kty"] = $"T{i}" }), TestKeys.Ec(Ec, "good")])
        );
        Assert.Single(odd.Keys);
        Assert.InRange(odd.LeftOut.Count, 1, 10);
    }

    [Fact]
    public void Signatures_of_any_form_are_refused_and_never_an_error()
    {
        var set = IssuerKeySet.Read(TestKeys.Set(TestKeys.Rsa(Rsa, "rsa"), TestKeys.Ec(Ec, "ec")));
        foreach (var length in new[] { 0, 1, 63, 64, 65, 255, 256, 257, 4096 })
        {
            Assert.False(Verifies(set, "rsa", "RS256", new byte[length]));
            Assert.False(Verifies(set, "rsa", "PS256", new byte[length]));
            Assert.False(Verifies(set, "ec", "ES256", new byte[length]));
        }
    }

    [Fact]
    public async Task One_key_is_used_by_many_at_once()
    {
        var set = IssuerKeySet.Read(TestKeys.Set(TestKeys.Rsa(Rsa, "rsa"), TestKeys.Ec(Ec, "ec")));
        var (rsa, ec) = (Sign(Rsa), RawToken.By(Ec)(Data));
        await Parallel.ForAsync(0, 2000, TestContext.Current.CancellationToken, (i, _) =>
        {
            Assert.True(i % 2 == 0 ? Verifies(set, "rsa", "RS256", rsa) : Verifies(set, "ec", "ES256", ec));
            return ValueTask.CompletedTask;
        });
    }

    internal static (byte[] Secret, JsonObject Key) NewEd25519()
    {
        var (secret, point) = (RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize), new byte[Ed25519.PublicKeySize]);
        Ed25519.GeneratePublicKey(secret, 0, point, 0);
        return (
            secret,
            new()
            {
                ["kty"] = "OKP",
                ["crv"] = "Ed25519",
                ["kid"] = "ed",
                ["x"] = Base64Url.EncodeToString(point),
            }
        );
    }

    private static byte[] Sign(RSA key) => RawToken.By(key)(Data);

    private static JsonObject Without(JsonObject key, string member)
    {
        key.Remove(member);
        return key;
    }

    private static bool Verifies(IssuerKeySet set, string? id, string algorithm, byte[] signature)
    {
        var found = SignatureAlgorithm.Find(algorithm)!;
        return set.Find(id, found).Any(key => key.Verify(Data, signature, found));
    }
}
