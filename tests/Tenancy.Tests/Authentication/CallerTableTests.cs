using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>
/// Who a token makes its caller: provider by provider and flow by flow, in the shapes that the providers document or that were seen of
/// them. Everything else that a subject can be is below.
/// </summary>
[Tier(Tier.Server)]
public sealed class CallerTableTests(CallerTableTests.Host host) : IClassFixture<CallerTableTests.Host>
{
    private const string NoSubject = "refused: subject";
    private const string NoAccessToken = "refused: tokenType";

    /// <summary>Provider, flow, the tenant's settings, the claims beside iss, aud and exp, and who is calling: I is the issuer.</summary>
    public static TheoryData<string, string, string, string, string> Table { get; } =
        new()
        {
            {
                "Keycloak",
                "user",
                "",
                """ "sub":"8f7c","typ":"Bearer","azp":"web","sid":"s1","acr":"1","scope":"openid" """,
                "user:I|8f7c"
            },
            {
                "Keycloak",
                "user without the scope basic",
                "",
                """ "typ":"Bearer","azp":"web","sid":"s1","acr":"1","preferred_username":"ann" """,
                NoSubject
            },
            {
                "Keycloak",
                "the same, with unmarkedClients",
                "unmarked",
                """ "typ":"Bearer","azp":"web","sid":"s1","preferred_username":"ann" """,
                NoSubject
            },
            {
                "Keycloak",
                "client",
                "",
                """ "sub":"3c2e","typ":"Bearer","azp":"robot","client_id":"robot","clientHost":"10.0.0.1" """,
                "user:I|3c2e"
            },
            {
                "Keycloak",
                "client without the scope basic",
                "unmarked",
                """ "typ":"Bearer","azp":"robot","client_id":"robot","clientHost":"10.0.0.1" """,
                "client:I|robot"
            },
            { "Keycloak", "ID token", "", """ "sub":"8f7c","typ":"ID","azp":"web","at_hash":"x" """, NoAccessToken },
            { "Keycloak", "refresh token", "", """ "sub":"8f7c","typ":"Refresh","azp":"web" """, NoAccessToken },
            { "Keycloak", "offline token", "", """ "sub":"8f7c","typ":"Offline","azp":"web" """, NoAccessToken },
            { "Auth0", "user", "", """ "sub":"auth0|5f7c","azp":"web","scope":"read" """, "user:I|auth0|5f7c" },
            { "Auth0", "client", "", """ "sub":"robot@clients","azp":"robot","gty":"client-credentials" """, "user:I|robot@clients" },
            {
                "Okta",
                "user, by the login",
                "",
                """ "sub":"joe@example.com","uid":"00u1","cid":"web","scp":["read"] """,
                "user:I|joe@example.com"
            },
            { "Okta", "user", "uid", """ "sub":"joe@example.com","uid":"00u1","cid":"web","scp":["read"] """, "user:I|00u1" },
            { "Okta", "client", "uid+cid+unmarked", """ "sub":"0oa1","cid":"0oa1","scp":["read"] """, "client:I|0oa1" },
            { "Okta", "client, without unmarkedClients", "uid", """ "sub":"0oa1","cid":"0oa1","scp":["read"] """, NoSubject },
            { "Okta", "user without a uid", "uid+cid+unmarked", """ "sub":"joe@example.com","cid":"0oa1" """, NoSubject },
            { "Entra v2", "user", "oid", """ "sub":"pairwise","oid":"1111","azp":"web","scp":"read","idtyp":"user" """, "user:I|1111" },
            { "Entra v2", "app", "oid", """ "sub":"2222","oid":"2222","azp":"app","roles":["read"],"idtyp":"app" """, "user:I|2222" },
            { "Entra v2", "app without a subject", "", """ "azp":"app","roles":["read"],"idtyp":"app" """, "client:I|app" },
            { "Entra v2", "user without a subject", "unmarked", """ "azp":"app","scp":"read","idtyp":"user" """, NoSubject },
            {
                "Entra v2",
                "ID token",
                "",
                """ "sub":"pairwise","oid":"1111","nonce":"n","preferred_username":"ann@x","name":"Ann" """,
                NoAccessToken
            },
            {
                "Entra v2",
                "ID token of a user with an app role",
                "oid",
                """ "sub":"p","oid":"1","nonce":"n","roles":["buy"],"name":"Ann" """,
                NoAccessToken
            },
            {
                "Entra v1",
                "user",
                "oid",
                """ "sub":"pairwise","oid":"1111","appid":"web","appidacr":"1","scp":"read","ver":"1.0" """,
                "user:I|1111"
            },
            {
                "Entra v1",
                "app",
                "oid",
                """ "sub":"2222","oid":"2222","appid":"robot","appidacr":"1","roles":["read"],"idtyp":"app","ver":"1.0" """,
                "user:I|2222"
            },
            {
                "Clerk",
                "user, OAuth application",
                "",
                """ "sub":"user_1","client_id":"web","jti":"oat_1","scope":"profile email" """,
                "user:I|user_1"
            },
            {
                "Clerk",
                "user, session",
                "",
                """ "sub":"user_1","azp":"https://x.example","sid":"sess_1","fva":[7,-1],"v":2 """,
                "user:I|user_1"
            },
            {
                "WorkOS",
                "user, session",
                "",
                """ "sub":"user_01","act":{"sub":"admin@x"},"org_id":"org_01","role":"member","roles":["member"],"sid":"session_01" """,
                "user:I|user_01"
            },
            {
                "Stytch",
                "user, session",
                "",
                """ "sub":"user-live-1","https://stytch.com/session":{"id":"session-live-1","authentication_factors":[]} """,
                "user:I|user-live-1"
            },
            { "Descope", "user, session", "", """ "sub":"U2abc","drn":"DS","amr":["email"],"permissions":["read"] """, "user:I|U2abc" },
            { "Descope", "refresh token", "", """ "sub":"U2abc","drn":"DSR","amr":["email"] """, NoAccessToken },
            {
                "Zitadel",
                "user",
                "",
                """ "sub":"220838604429205763","azp":"web","client_id":"web","jti":"x" """,
                "user:I|220838604429205763"
            },
            { "Hydra", "user", "", """ "sub":"ann","client_id":"web","scp":["read"],"ext":{} """, "user:I|ann" },
            { "Hydra", "client", "unmarked", """ "sub":"robot","client_id":"robot","scp":["read"],"ext":{} """, "client:I|robot" },
            { "Logto", "user", "", """ "sub":"u1","client_id":"web","scope":"read" """, "user:I|u1" },
            { "Logto", "client", "unmarked", """ "sub":"robot","client_id":"robot","scope":"read" """, "client:I|robot" },
            { "OpenAuth", "user", "", """ "sub":"user:a1","mode":"access","type":"user","properties":{"id":"1"} """, "user:I|user:a1" },
            { "Google", "ID token", "", """ "sub":"1076","azp":"web","email":"ann@x","at_hash":"x","nonce":"n" """, NoAccessToken },
            {
                "Cognito",
                "user",
                "",
                """ "sub":"aaaa","token_use":"access","client_id":"web","username":"ann","scope":"read" """,
                "user:I|aaaa"
            },
            { "Cognito", "client", "unmarked", """ "sub":"web","token_use":"access","client_id":"web","scope":"read" """, "client:I|web" },
            { "Cognito", "ID token", "", """ "sub":"aaaa","token_use":"id","cognito:username":"ann" """, NoAccessToken },
            { "FusionAuth", "user", "", """ "sub":"bbbb","tty":"at","gty":["authorization_code"],"applicationId":"web" """, "user:I|bbbb" },
            {
                "FusionAuth",
                "client",
                "",
                """ "sub":"cccc","client_id":"cccc","tty":"at","gty":["client_credentials"] """,
                "client:I|cccc"
            },
            { "FusionAuth", "ID token", "", """ "sub":"bbbb","at_hash":"x","c_hash":"y","nonce":"n" """, NoAccessToken },
            { "oidc-provider", "user", "", """ "sub":"ann","client_id":"web","scope":"read" """, "user:I|ann" },
            { "oidc-provider", "client", "", """ "sub":"robot","client_id":"robot" """, "user:I|robot" },
            { "oidc-provider", "client, with unmarkedClients", "unmarked", """ "sub":"robot","client_id":"robot" """, "client:I|robot" },
            { "oidc-provider", "user who is named like the client", "unmarked", """ "sub":"robot","client_id":"web" """, "user:I|robot" },
            {
                "oidc-provider",
                "the same, at that client",
                "unmarked",
                """ "sub":"robot","client_id":"robot","auth_time":1 """,
                "user:I|robot"
            },
            {
                "oidc-provider",
                "the same, by the scope that only users have",
                "unmarked",
                """ "sub":"robot","client_id":"robot","scope":"read openid" """,
                "user:I|robot"
            },
            {
                "oidc-provider",
                "client whose scope only looks like that",
                "unmarked",
                """ "sub":"robot","client_id":"robot","scope":"openid2 x-openid" """,
                "client:I|robot"
            },
            {
                "any",
                "user without a subject, by that scope in a list",
                "unmarked",
                """ "azp":"web","scp":["read","openid"] """,
                NoSubject
            },
            { "any", "the same, in one text of a list", "unmarked", """ "azp":"web","scope":["read openid"] """, NoSubject },
            {
                "any",
                "client with a mark and that scope",
                "",
                """ "azp":"web","gty":"client-credentials","scope":"openid" """,
                "client:I|web"
            },
            { "better-auth", "user", "", """ "sub":"u1","azp":"web","sid":"s","scope":"openid" """, "user:I|u1" },
            { "LemonLDAP::NG", "client", "", """ "client_id":"robot","scope":"read" """, NoSubject },
            { "LemonLDAP::NG", "client, with unmarkedClients", "unmarked", """ "client_id":"robot","scope":"read" """, "client:I|robot" },
            { "glewlwyd", "refresh token", "", """ "sub":"u1","type":"refresh_token" """, NoAccessToken },
            { "Casdoor", "refresh token", "", """ "sub":"u1","TokenType":"refresh-token" """, NoAccessToken },
            {
                "any",
                "logout token",
                "",
                """ "sub":"u1","events":{"http://schemas.openid.net/event/backchannel-logout":{}} """,
                NoAccessToken
            },
        };

    /// <summary>All that a subject can be beside a good one.</summary>
    public static TheoryData<string, string> Subjects { get; } =
        new()
        {
            { """ "sub":107691503500061507151 """, NoSubject },
            { """ "sub":107691503500061507999 """, NoSubject },
            { """ "sub":1 """, NoSubject },
            { """ "sub":1.0 """, NoSubject },
            { """ "sub":-0 """, NoSubject },
            { """ "sub":1e400 """, NoSubject },
            { """ "sub":true """, NoSubject },
            { """ "sub":false """, NoSubject },
            { """ "sub":["alice"] """, NoSubject },
            { """ "sub":[] """, NoSubject },
            { """ "sub":{"id":"alice"} """, NoSubject },
            { """ "sub":{} """, NoSubject },
            { """ "sub":null """, NoSubject },
            { """ "sub":"" """, NoSubject },
            { """ "sub":" " """, NoSubject },
            { """ "sub":"\u00a0\u2003" """, NoSubject },
            { """ "sub":"a\u0000b" """, NoSubject },
            { """ "sub":"a\nb" """, NoSubject },
            { """ "Sub":"alice" """, NoSubject },
            { """ "sub ":"alice" """, NoSubject },
            { """ "profile":{"sub":"alice"} """, NoSubject },
            { """ "sub":null,"client_id":"web" """, NoSubject },
            { """ "sub":"","azp":"web" """, NoSubject },
            { """ "sub":7,"azp":"web","gty":"client-credentials" """, NoSubject },
            { """ "sub":null,"azp":"web","gty":"client-credentials" """, "client:I|web" },
            { """ "sub":"","azp":"web","idtyp":"app" """, "client:I|web" },
            { """ "azp":"web","gty":"password" """, NoSubject },
            { """ "azp":"web","gty":["client_credentials","password"] """, NoSubject },
            { """ "azp":"web","gty":[] """, NoSubject },
            { """ "azp":"web","gty":[["client_credentials"]] """, NoSubject },
            { """ "azp":"web","gty":{"client-credentials":true} """, NoSubject },
            { """ "azp":"web","gty":true """, NoSubject },
            { """ "azp":"web","gty":null """, NoSubject },
            { """ "azp":"web","idtyp":"App" """, NoSubject },
            { """ "azp":"web","idtyp":"app","gty":"password" """, NoSubject },
            { """ "azp":"web","idtyp":"app","sid":"s" """, NoSubject },
            { """ "azp":["web"],"gty":"client-credentials" """, NoSubject },
            { """ "azp":7,"gty":"client-credentials" """, NoSubject },
            { """ "azp":"","client_id":"web","gty":"client-credentials" """, NoSubject },
            { """ "gty":"client-credentials" """, NoSubject },
            { """ "sub":"alice","sub":"bob" """, "refused: malformed" },
            { """ "sub":"alice","\u0073ub":"bob" """, "refused: malformed" },
            { """ "sub":"alice","x":{"y":1,"y":2} """, "refused: malformed" },
            { """ "sub":"\ud800" """, "refused: malformed" },
            { """ "sub":"alice","\udc00":1 """, "refused: malformed" },
            { """ "sub":"\u0061lice" """, "user:I|alice" },
            { """ "sub":"alice|bob" """, "user:I|alice|bob" },
            { """ "sub":"107691503500061507151" """, "user:I|107691503500061507151" },
            { """ "sub":"web","azp":"web" """, "user:I|web" },
            { """ "sub":"web","azp":"web","gty":"client-credentials" """, "client:I|web" },
            { """ "sub":"web","azp":"web","gty":"authorization_code" """, "user:I|web" },
            { """ "sub":"web","azp":"other","gty":"client-credentials" """, "user:I|web" },
        };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Each_provider_and_flow_has_its_caller(string provider, string flow, string settings, string claims, string expected)
    {
        Assert.False(string.IsNullOrEmpty(provider + flow));
        Assert.Equal(expected, await host.JudgeAsync(settings, claims));
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public async Task A_subject_is_one_text_that_the_token_has(string claims, string expected) =>
        Assert.Equal(expected, await host.JudgeAsync("", claims));

    [Fact]
    public async Task Two_users_whose_ids_a_reader_could_confuse_are_never_one_caller()
    {
        // Bytes that are no UTF-8, and would all be replaced by the same character.
        foreach (var odd in new byte[][] { [0xff], [0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80] })
        {
            var parts = host.Claims(""" "sub":"@" """).Split('@');
            byte[] claims = [.. Encoding.UTF8.GetBytes(parts[0]), .. odd, .. Encoding.UTF8.GetBytes(parts[1])];
            Assert.Equal("refused: malformed", await host.JudgeTokenAsync("", host.Sign(claims)));
        }

        Assert.NotEqual(await host.JudgeAsync("", """ "sub":"e\u0301" """), await host.JudgeAsync("", """ "sub":"\u00e9" """));
    }

    [Fact]
    public async Task A_user_and_a_client_of_one_id_are_two_callers_and_own_their_sessions_apart()
    {
        var user = host.Token(""" "sub":"robot","azp":"robot","auth_time":1 """);
        var client = host.Token(""" "sub":"robot","azp":"robot" """);
        var session = await host.Server.InitializeAsync("unmarked", user);
        foreach (var (token, status) in new[] { (user, 200), (client, 404) })
        {
            using var request = McpCalls.Post(
                host.Server.Port,
                Way.Path,
                "unmarked",
                token,
                McpCalls.Call("whoami"),
                Generation.Sessions,
                session
            );
            using var response = await host.Server.Client.SendAsync(request, Cancellation);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Theory]
    [InlineData(""" "user_id":"ann","user_name":"ann" """)]
    [InlineData(""" "user_id":7 """)]
    [InlineData(""" "userId":"ann" """)]
    [InlineData(""" "user_name":"ann" """)]
    [InlineData(""" "oid":"1111" """)]
    [InlineData(""" "login":"ann" """)]
    [InlineData(""" "mail":"ann@x" """)]
    [InlineData(""" "email_verified":true """)]
    [InlineData(""" "https://x.example/claims/email":"ann@x" """)]
    [InlineData(""" "cognito:username":"ann" """)]
    [InlineData(""" "act":{"sub":"ann"} """)]
    [InlineData(""" "sub_id":{"format":"opaque","id":"ann"} """)]
    [InlineData(""" "session_id":"s" """)]
    [InlineData(""" "session_state":"s" """)]
    [InlineData(""" "picture":"https://x.example/ann.png" """)]
    public async Task What_tells_of_a_user_makes_no_token_its_clients(string sign)
    {
        Assert.Equal(NoSubject, await host.JudgeAsync("unmarked", $""" "azp":"web",{sign.Trim()} """));
        Assert.Equal("user:I|web", await host.JudgeAsync("unmarked", $""" "azp":"web","sub":"web",{sign.Trim()} """));
    }

    [Theory]
    [InlineData(""" "client_name":"Robot" """)]
    [InlineData(""" "app_displayname":"Robot" """)]
    [InlineData(""" "clientHost":"10.0.0.1","clientAddress":"10.0.0.1" """)]
    [InlineData(""" "ipaddr":"10.0.0.1" """)]
    [InlineData(""" "email":null """)]
    public async Task What_a_client_has_too_tells_of_no_user(string claims) =>
        Assert.Equal("client:I|web", await host.JudgeAsync("unmarked", $""" "azp":"web",{claims.Trim()} """));

    [Fact]
    public async Task A_subject_that_is_not_the_client_outweighs_a_subject_claim_that_is()
    {
        await host.RegisterAsync("xid", """ "subjectClaim":"xid","unmarkedClients":true """);
        Assert.Equal("user:I|web", await host.JudgeAsync("xid", """ "sub":"joe","xid":"web","azp":"web" """));
        Assert.Equal("client:I|web", await host.JudgeAsync("xid", """ "sub":"web","xid":"web","azp":"web" """));
        Assert.Equal("client:I|web", await host.JudgeAsync("xid", """ "xid":"web","azp":"web" """));
    }

    [Fact]
    public async Task A_token_that_says_it_is_not_its_clients_is_not_explained_by_a_setting()
    {
        var token = host.Token(""" "azp":"web","gty":"password" """);
        var explained = (await host.CheckAsync("unmarked", token)).Refusal!.Reason;
        Assert.Contains("gty", explained, StringComparison.Ordinal);
        Assert.DoesNotContain("unmarkedClients", explained, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("email")]
    [InlineData("Email")]
    [InlineData("e-mail")]
    [InlineData("email_address")]
    [InlineData("preferred_username")]
    [InlineData("https://acme.example/claims/email")]
    [InlineData("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn")]
    [InlineData("cognito:username")]
    [InlineData("name")]
    [InlineData("user_email")]
    [InlineData("primary_email")]
    [InlineData("contactEmail")]
    [InlineData("user.email")]
    [InlineData("https://x.example/claims/work_email")]
    [InlineData("googlemail")]
    [InlineData("email_lower")]
    [InlineData("account_name")]
    [InlineData("SlackName")]
    [InlineData("work_phone")]
    [InlineData("phoneNumber2")]
    [InlineData("github_login")]
    [InlineData("onprem_upn")]
    [InlineData("azp")]
    [InlineData("iss")]
    [InlineData("jti")]
    [InlineData("sid")]
    [InlineData("scope")]
    public async Task A_tenant_cannot_name_a_claim_that_is_given_to_others_as_its_subject(string claim)
    {
        var tenant = new JsonObject
        {
            ["id"] = "refused",
            ["authentication"] = new JsonObject
            {
                ["kind"] = "jwks",
                ["issuer"] = "https://id.example.com",
                ["audiences"] = new JsonArray("refused"),
                ["subjectClaim"] = claim,
            },
        };
        using var response = await host.Server.AdminAsync(HttpMethod.Post, "", tenant.ToJsonString());
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains(
            claim,
            (await McpCalls.ReadAsync(response))["errors"]!["authentication.subjectClaim"]![0]!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("uid")]
    [InlineData("oid")]
    [InlineData("https://acme.example/claims/employee_id")]
    [InlineData("https://mail.example/claims/user_id")]
    [InlineData("nameidentifier")]
    [InlineData("distinguished_name")]
    public async Task A_tenant_can_name_a_lasting_claim(string claim)
    {
        var id = $"named-{claim.Length}{claim[0]}";
        await host.RegisterAsync(id, $$""" "subjectClaim":"{{claim}}" """);
        Assert.Equal("user:I|lasting", await host.JudgeTokenAsync(id, host.Token($$""" "sub":"now","{{claim}}":"lasting" """)));
        Assert.Equal(NoSubject, await host.JudgeTokenAsync(id, host.Token(""" "sub":"now" """)));
        Assert.Equal(NoSubject, await host.JudgeTokenAsync(id, host.Token($$""" "sub":"now","{{claim}}":7 """)));
        Assert.Equal(NoSubject, await host.JudgeTokenAsync(id, host.Token($$""" "sub":7,"{{claim}}":"lasting" """)));
    }

    /// <summary>One issuer, and a tenant for each set of settings. Every tenant takes its tokens.</summary>
    public sealed class Host : IAsyncLifetime
    {
        private const string Audience = "api";
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private StubServer _issuer = null!;

        internal TenancyServer Server { get; private set; } = null!;

        internal string Issuer => _issuer.Url;

        public async ValueTask InitializeAsync()
        {
            _issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
            Server = await TenancyServer.StartAsync(
                settings: new Dictionary<string, string?>
                {
                    ["Tenancy:BaseDomain"] = "localhost",
                    ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                    ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
                }
            );
            await RegisterAsync("plain", "");
            await RegisterAsync("unmarked", """ "unmarkedClients":true """);
            await RegisterAsync("uid", """ "subjectClaim":"uid" """);
            await RegisterAsync("oid", """ "subjectClaim":"oid" """);
            await RegisterAsync("uid-cid-unmarked", """ "subjectClaim":"uid","clientClaim":"cid","unmarkedClients":true """);
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await _issuer.DisposeAsync();
            _key.Dispose();
        }

        internal async Task RegisterAsync(string id, string settings)
        {
            using var response = await Server.AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                $$"""{"id":"{{id}}","authentication":{"kind":"jwks","issuer":"{{_issuer.Url}}","audiences":["{{Audience}}-{{id}}"]"""
                    + (settings.Length > 0 ? $",{settings}" : "")
                    + "}}"
            );
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        }

        // Each tenant of one issuer has an audience of its own, and here a token has all of them.
        internal string Claims(string claims) =>
            RawToken
                .Claims(_issuer.Url, "AUDIENCES", claims.Trim())
                .Replace(
                    "\"AUDIENCES\"",
                    $"[{string.Join(',', Tenants().Select(id => $"\"{Audience}-{id}\""))}]",
                    StringComparison.Ordinal
                );

        internal string Sign(byte[] claims) => RawToken.Sign("""{"alg":"ES256","kid":"one"}"""u8.ToArray(), claims, RawToken.By(_key));

        internal string Token(string claims) => Sign(Encoding.UTF8.GetBytes(Claims(claims)));

        internal Task<string> JudgeAsync(string settings, string claims) =>
            JudgeTokenAsync(settings.Length == 0 ? "plain" : settings.Replace('+', '-'), Token(claims));

        internal async Task<string> JudgeTokenAsync(string tenant, string token)
        {
            var (accepted, refusal) = await CheckAsync(tenant, token);
            var cause = System.Text.Json.JsonSerializer.Serialize(refusal?.Cause).Trim('"');
            return accepted is null ? $"refused: {cause}" : accepted.Caller.Value.Replace(_issuer.Url, "I", StringComparison.Ordinal);
        }

        internal async Task<(BelievedToken? Token, TokenRefusal? Refusal)> CheckAsync(string tenant, string token)
        {
            var jwts = Server.Services.GetRequiredService<TenantJwts>();
            var model = Server.Services.GetRequiredService<TenantRegistry>().Get(tenant.Length == 0 ? "plain" : tenant)!;
            return await jwts.CheckAsync(jwts.Get(model), token, called: null, Cancellation);
        }

        internal IEnumerable<string> Tenants() =>
            Server.Services.GetRequiredService<TenantRegistry>().List().Select(tenant => tenant.Config.Id);
    }
}
