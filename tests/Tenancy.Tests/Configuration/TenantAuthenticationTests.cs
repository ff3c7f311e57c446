using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Configuration;

[Tier(Tier.Server)]
public sealed class TenantAuthenticationTests
{
    private static readonly TenantConfig Acme = new()
    {
        Id = "acme",
        Urls = ["https://acme.example.com"],
        Authentication = Jwks(),
    };

    [Fact]
    public void An_issuer_and_an_endpoint_of_its_own_are_enough() => Assert.Empty(Validate(Acme));

    [Theory]
    [InlineData("issuer", null)]
    [InlineData("issuer", "")]
    [InlineData("issuer", "auth.example.com")]
    [InlineData("issuer", "ftp://auth.example.com")]
    [InlineData("issuer", "http://auth.example.com")]
    [InlineData("issuer", "http://127.0.0.1:8080")]
    [InlineData("issuer", "https://user:secret@auth.example.com")]
    [InlineData("issuer", "https://auth.example.com?key=secret")]
    [InlineData("issuer", "https://auth.example.com/?")]
    [InlineData("issuer", "https://auth.example.com/#secret")]
    [InlineData("issuer", "https://auth.example.com/a|secret")]
    [InlineData("issuer", "https://auth.example.com/ secret")]
    [InlineData("jwksUri", "")]
    [InlineData("jwksUri", "http://auth.example.com/keys")]
    [InlineData("jwksUri", "https://user:secret@auth.example.com/keys")]
    [InlineData("jwksUri", "https://auth.example.com/keys#secret")]
    [InlineData("tokenUrl", "token")]
    [InlineData("authorizationUrl", "authorize")]
    [InlineData("pinnedKeyId", "")]
    [InlineData("tokenType", "")]
    [InlineData("tokenType", "AT+JWT")]
    [InlineData("tokenType", "secret")]
    public void Each_mistake_names_its_field_and_repeats_no_credential(string field, string? value)
    {
        var authentication = field switch
        {
            "issuer" => Jwks() with { Issuer = value },
            "jwksUri" => Jwks() with { JwksUri = value },
            "tokenUrl" => Jwks() with { TokenUrl = value },
            "authorizationUrl" => Jwks() with { AuthorizationUrl = value },
            "tokenType" => Jwks() with { TokenType = value },
            _ => Jwks() with { PinnedKeyId = value },
        };
        var error = Assert.Single(Validate(Acme with { Authentication = authentication }));
        Assert.Equal("authentication." + field, error.Field);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://auth.example.com")]
    [InlineData("https://auth.example.com/")]
    [InlineData("https://AUTH.example.com/Realms/a%2Fb")]
    public void An_issuer_is_kept_byte_for_byte(string issuer)
    {
        var tenant = Acme with { Authentication = Jwks() with { Issuer = issuer } };
        Assert.Empty(Validate(tenant));
        var read = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(tenant, TenancyJson.Default.TenantConfig),
            TenancyJson.Default.TenantConfig
        );
        Assert.Equal(issuer, read!.Authentication!.Issuer);
        Assert.Equal(tenant, read);
    }

    [Theory]
    [InlineData("acme.com")]
    [InlineData("stytch.com/project-live-1")]
    [InlineData("P2abcDEF")]
    [InlineData("urn:example:issuer")]
    public void An_issuer_that_is_no_url_will_do_where_its_keys_have_one(string issuer)
    {
        var authentication = Jwks() with { Issuer = issuer, JwksUri = "https://auth.example.com/keys" };
        Assert.Empty(Validate(Acme with { Authentication = authentication }));
        var error = Assert.Single(Validate(Acme with { Authentication = authentication with { JwksUri = null } }));
        Assert.Equal("authentication.issuer", error.Field);
        Assert.Contains("jwksUri", error.Message, StringComparison.Ordinal);
        Assert.Single(Validate(Acme with { Authentication = authentication with { TokenUrl = "https://auth.example.com/token" } }));
    }

    [Theory]
    [InlineData("acme com")]
    [InlineData("acme|com")]
    [InlineData("acme\ncom")]
    [InlineData("\u00e4cme")]
    [InlineData("")]
    [InlineData("http://auth.example.com")]
    [InlineData("HTTP:acme")]
    [InlineData("https://u:p@auth.example.com")]
    public void What_could_be_taken_for_two_things_is_no_issuer_with_keys_either(string issuer) =>
        Assert.Equal(
            "authentication.issuer",
            Assert
                .Single(Validate(Acme with { Authentication = Jwks() with { Issuer = issuer, JwksUri = "https://auth.example.com/keys" } }))
                .Field
        );

    [Theory]
    [InlineData("read write")]
    [InlineData(" ")]
    [InlineData("a\tb\u0001")]
    [InlineData("\u00e4\ud83d\ude00")]
    public void An_audience_has_any_characters(string audience) =>
        Assert.Empty(Validate(Acme with { Authentication = Jwks() with { Audiences = [audience] } }));

    // An attribute cannot carry half of a surrogate pair.
    [Fact]
    public void What_is_no_text_is_no_audience() =>
        Assert.All(["", "\ud800", "a\udc00b", "a\ud800"], audience =>
            Assert.Equal(
                "authentication.audiences[0]",
                Assert.Single(Validate(Acme with { Authentication = Jwks() with { Audiences = [audience] } })).Field
            )
        );

    [Fact]
    public void Clients_stand_for_the_audience_only_where_they_are_required()
    {
        var tenant = Acme with { Urls = [], Authentication = Jwks() with { AudienceFromClients = true } };
        Assert.Equal("authentication.audienceFromClients", Assert.Single(Validate(tenant)).Field);
        Assert.Empty(Validate(tenant with { Authentication = tenant.Authentication with { RequireClients = true } }));
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("uid")]
    [InlineData("email")]
    [InlineData("aud")]
    [InlineData("scope")]
    [InlineData("")]
    [InlineData(" cid")]
    public void A_claim_of_users_is_none_of_clients(string claim) =>
        Assert.Equal(
            "authentication.clientClaim",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { ClientClaim = claim } })).Field
        );

    [Theory]
    [InlineData("tid")]
    [InlineData("org_id")]
    [InlineData("https://acme.example/roles")]
    [InlineData("groups")]
    [InlineData("grant_type")]
    [InlineData("session_id")]
    [InlineData("applicationId")]
    public void A_claim_that_many_users_have_alike_names_none_of_them(string claim) =>
        Assert.Equal(
            new("authentication.subjectClaim", $"cannot be '{claim}', which many users have alike: they would be one caller"),
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { SubjectClaim = claim } }))
        );

    [Fact]
    public void One_claim_does_not_name_both_a_user_and_the_client() =>
        Assert.Equal(
            "authentication.subjectClaim",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { SubjectClaim = "x", ClientClaim = "x" } })).Field
        );

    [Theory]
    [InlineData("sub")]
    [InlineData("azp")]
    [InlineData("client_id")]
    public void Who_somebody_is_gives_no_rights(string claim) =>
        Assert.Equal(
            "authentication.scopeClaims[0]",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { ScopeClaims = [claim] } })).Field
        );

    [Theory]
    [InlineData("client_id")]
    [InlineData("cid")]
    [InlineData("appid")]
    public void A_claim_of_clients_is_none_of_users(string claim)
    {
        Assert.Equal(
            "authentication.subjectClaim",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { SubjectClaim = claim } })).Field
        );
        Assert.Empty(Validate(Acme with { Authentication = Jwks() with { ClientClaim = claim } }));
    }

    [Fact]
    public void Keys_may_be_at_a_url_with_a_query() =>
        Assert.Empty(Validate(Acme with { Authentication = Jwks() with { JwksUri = "https://auth.example.com/keys?policy=sign-in" } }));

    [Theory]
    [InlineData("http://localhost:8080/realms/acme", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://auth.example.com", false)]
    public void Development_allows_http_on_loopback_only(string issuer, bool isAllowed)
    {
        var options = new TenancyOptions { Validation = { AllowLoopback = true } };
        Assert.Equal(isAllowed, Validate(Acme with { Authentication = Jwks() with { Issuer = issuer } }, options).Count == 0);
    }

    [Fact]
    public void The_operator_may_allow_http() =>
        Assert.Empty(
            Validate(
                Acme with
                {
                    Authentication = Jwks() with { Issuer = "http://auth.internal" },
                },
                new() { Validation = { AllowHttp = true } }
            )
        );

    [Fact]
    public void A_tenant_that_no_token_could_name_is_refused()
    {
        var tenant = Acme with { Urls = [] };
        Assert.Equal("authentication.audiences", Assert.Single(Validate(tenant)).Field);
        Assert.Empty(Validate(tenant, new() { PublicUrl = "https://mcp.example.com" }));
        Assert.Empty(Validate(tenant, new() { BaseDomain = "example.com" }));
        Assert.Empty(Validate(tenant with { Authentication = Jwks() with { Audiences = ["acme-api"] } }));
    }

    [Fact]
    public void Audiences_are_the_endpoints_of_a_tenant_and_what_is_configured()
    {
        var options = new TenancyOptions { PublicUrl = "https://MCP.example.com/", BaseDomain = "Example.com." };
        var tenant = Acme with
        {
            Urls = ["https://ACME.com/", "https://shared.com/shops/acme"],
            Authentication = Jwks() with { Audiences = ["acme-api", "https://acme.com/mcp"] },
        };
        Assert.Equal(
            [
                "https://acme.com/mcp",
                "https://shared.com/shops/acme/mcp",
                "https://mcp.example.com/acme/mcp",
                "https://acme.example.com/mcp",
                "https://example.com/acme/mcp",
                "acme-api",
            ],
            TenantAudiences.Of(tenant, options)
        );
        options.Identification = TenantIdentification.Header;
        Assert.Equal(["https://acme.com/mcp", "https://shared.com/shops/acme/mcp", "acme-api"], TenantAudiences.Of(tenant, options));
    }

    [Theory]
    [InlineData(null, "example.com", "https://acme.example.com/mcp")]
    [InlineData("https://mcp.example.com:8443", "example.com", "https://acme.example.com/mcp")]
    [InlineData("https://example.com:8443", "example.com", "https://acme.example.com:8443/mcp")]
    [InlineData("https://evil-example.com:8443", "example.com", "https://acme.example.com/mcp")]
    [InlineData("http://localhost:5099", "localhost", "http://acme.localhost:5099/mcp")]
    public void A_subdomain_has_scheme_and_port_of_the_public_url_where_that_is_the_base_domains_own(
        string? publicUrl,
        string baseDomain,
        string expected
    )
    {
        var options = new TenancyOptions
        {
            PublicUrl = publicUrl,
            BaseDomain = baseDomain,
            Identification = TenantIdentification.Host,
        };
        Assert.Equal([expected], TenantAudiences.Of(Acme with { Urls = [] }, options));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a\"b")]
    [InlineData("")]
    public void A_scope_is_one_word(string scope) =>
        Assert.Equal(
            "authentication.scopes[1]",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { Scopes = ["read", scope] } })).Field
        );

    [Fact]
    public void Lists_have_no_duplicates() =>
        Assert.Equal(
            "authentication.audiences[1]",
            Assert.Single(Validate(Acme with { Authentication = Jwks() with { Audiences = ["a", "a"] } })).Field
        );

    [Theory]
    [InlineData(TenantAuthenticationKind.Bearer)]
    [InlineData(TenantAuthenticationKind.None)]
    public void What_belongs_to_jwks_is_refused_elsewhere(TenantAuthenticationKind kind)
    {
        var authentication = Jwks() with
        {
            Kind = kind,
            Audiences = ["a"],
            JwksUri = "https://a.com",
            Scopes = ["s"],
            PinnedKeyId = "k",
            TokenUrl = "https://a.com",
            AuthorizationUrl = "https://a.com",
            RequireClients = true,
            ChallengeAtCall = true,
        };
        Assert.Equal(
            [
                "issuer",
                "audiences",
                "jwksUri",
                "scopes",
                "requireClients",
                "challengeAtCall",
                "pinnedKeyId",
                "tokenUrl",
                "authorizationUrl",
            ],
            Validate(Acme with { Authentication = authentication }).Select(error => error.Field["authentication.".Length..])
        );
    }

    [Fact]
    public void The_defaults_are_checked_for_the_tenant_that_takes_them()
    {
        var options = new TenancyOptions { Defaults = { Authentication = Jwks() with { Issuer = "http://auth.example.com" } } };
        Assert.Equal("authentication.issuer", Assert.Single(Validate(Acme with { Authentication = null }, options)).Field);
    }

    [Fact]
    public void Requiring_clients_is_on_the_wire_only_where_it_is_asked_for_and_is_no_other_proof()
    {
        var (any, listed) = (Acme with { Authentication = Jwks() }, Acme with { Authentication = Jwks() with { RequireClients = true } });
        Assert.DoesNotContain("requireClients", JsonSerializer.Serialize(any, TenancyJson.Default.TenantConfig), StringComparison.Ordinal);
        Assert.Equal(
            listed,
            JsonSerializer.Deserialize(JsonSerializer.Serialize(listed, TenancyJson.Default.TenantConfig), TenancyJson.Default.TenantConfig)
        );
        Assert.NotEqual(any, listed);
        Assert.Equal(ChangeEffects.Stored, any.EffectsTo(listed));
        var moved = listed with { Authentication = listed.Authentication with { Issuer = "https://other.example.com" } };
        Assert.Equal(ChangeEffects.Validation | ChangeEffects.EndOfStreams, any.EffectsTo(moved));
    }

    [Fact]
    public void Equality_looks_into_the_lists()
    {
        var one = Jwks() with { Audiences = ["a"], Scopes = ["s"] };
        Assert.Equal(one, Jwks() with { Audiences = ["a"], Scopes = ["s"] });
        Assert.Equal(one.GetHashCode(), (Jwks() with { Audiences = ["a"], Scopes = ["s"] }).GetHashCode());
        Assert.NotEqual(one, one with { Audiences = ["b"] });
        Assert.NotEqual(one, one with { Scopes = [] });
        Assert.NotEqual(one, one with { PinnedKeyId = "k" });
        Assert.NotEqual(one, one with { TokenUrl = "https://a.com" });
    }

    [Fact]
    public void What_a_text_leaves_out_is_empty_and_not_null()
    {
        var authentication = JsonSerializer
            .Deserialize(
                """{ "id": "acme", "authentication": { "kind": "jwks", "issuer": "https://a.com" } }""",
                TenancyJson.Default.TenantWire
            )!
            .Authentication!;
        Assert.Empty(authentication.Audiences);
        Assert.Empty(authentication.Scopes);
    }

    [Fact]
    public void The_older_form_is_read_as_urls_and_authentication()
    {
        const string Text = """
            { "id": "acme", "domain": "acme.example.com", "oidc": { "issuer": "https://a.com/", "audience": "api",
            "jwksUri": "https://a.com/k", "tokenUrl": "https://a.com/t", "authorizationUrl": "https://a.com/a" } }
            """;
        var tenant = JsonSerializer.Deserialize(Text, TenancyJson.Default.TenantWire)!.ToRegistration().Tenant;
        Assert.Equal(["https://acme.example.com"], tenant.Urls);
        Assert.Equal(
            new()
            {
                Kind = TenantAuthenticationKind.Jwks,
                Issuer = "https://a.com/",
                Audiences = ["api"],
                JwksUri = "https://a.com/k",
                TokenUrl = "https://a.com/t",
                AuthorizationUrl = "https://a.com/a",
            },
            tenant.Authentication
        );
    }

    [Theory]
    [InlineData("""{ "id": "acme", "domain": "a.com", "urls": ["https://a.com"] }""", "domain")]
    [InlineData("""{ "id": "acme", "oidc": { "issuer": "https://a.com" }, "authentication": { "kind": "bearer" } }""", "oidc")]
    public async Task The_older_form_beside_the_newer_is_a_mistake_that_names_the_field(string text, string field)
    {
        await using var server = await TenancyServer.StartAsync();
        using var answer = await server.AdminAsync(HttpMethod.Post, "", text);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.True(problem.RootElement.GetProperty("errors").TryGetProperty(field, out _), problem.RootElement.ToString());
    }

    [Theory]
    [InlineData("email")]
    [InlineData("identityClaim")]
    public void There_is_no_way_to_name_a_claim_as_the_identity(string field) =>
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize(
                $$"""{ "id": "acme", "authentication": { "kind": "jwks", "issuer": "https://a.com", "{{field}}": "email" } }""",
                TenancyJson.Default.TenantWire
            )
        );

    [Fact]
    public void The_operator_settings_are_read()
    {
        using var app = Build(
            new()
            {
                ["Tenancy:Validation:AllowedNetworks:0"] = "10.0.0.0/8",
                ["Tenancy:Validation:AllowedNetworks:1"] = "fd00::/8",
                ["Tenancy:Validation:Proxy"] = "http://user:secret@proxy.example.com:3128",
                ["Tenancy:Validation:Timeout"] = "00:00:03",
                ["Tenancy:Validation:AllowHttp"] = "true",
            }
        );
        var options = app.Services.GetRequiredService<IOptions<TenancyOptions>>().Value.Validation;
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")], options.AllowedNetworks);
        Assert.Equal("proxy.example.com", options.Proxy!.Host);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Timeout);
        Assert.True(options.AllowHttp);
    }

    [Theory]
    [InlineData("AllowedNetworks", "10.0.0.0/99", "10.0.0.0/99")]
    [InlineData("Timeout", "10", "Timeout is 10.00:00:00")]
    [InlineData("Timeout", "soon", "'soon'")]
    [InlineData("AllowHttp", "perhaps", "'perhaps'")]
    [InlineData("Proxy", "user:secret@proxy", "Proxy is not the URL")]
    [InlineData("Redirects", "true", "Redirects is not a setting")]
    public void A_mistake_in_the_operator_settings_stops_the_start(string setting, string value, string message)
    {
        var exception = Assert.Throws<OptionsValidationException>(() => Build(new() { [$"Tenancy:Validation:{setting}"] = value }));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    private static TenantAuthentication Jwks() => new() { Kind = TenantAuthenticationKind.Jwks, Issuer = "https://auth.example.com" };

    private static IReadOnlyList<TenantConfigError> Validate(TenantConfig tenant, TenancyOptions? options = null) =>
        new TenantConfigValidator(options ?? new(), ["publisher"]).Validate(tenant);

    private static WebApplication Build(Dictionary<string, string?> settings) => TenancyServer.Build(settings);

    public static TheoryData<string> Fields { get; } =
    [
        .. typeof(TenantAuthentication)
            .GetProperties()
            .Where(field => field.CanWrite && field.Name != nameof(TenantAuthentication.Kind))
            .Select(field => field.Name),
    ];

    [Theory, MemberData(nameof(Fields))]
    public void Whatever_is_set_beside_the_kind_is_seen(string name)
    {
        var authentication = new TenantAuthentication { Kind = TenantAuthenticationKind.Jwks };
        Assert.True(authentication.IsOnlyKind);
        var field = typeof(TenantAuthentication).GetProperty(name)!;
        object value =
            field.PropertyType == typeof(bool) ? true
            : field.PropertyType == typeof(string) ? "x"
            : new[] { "x" };
        field.SetValue(authentication, value);
        Assert.False(authentication.IsOnlyKind);
    }
}
