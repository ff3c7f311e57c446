using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Why a token was refused, for those who run the server and those who configure a tenant. Callers learn nothing of it.</summary>
[Tier(Tier.Server)]
public sealed class TokenRefusalsTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly LogRecorder _log = new(LogLevel.Information);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private StubServer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<TimeProvider>(_time).AddSingleton<ILoggerProvider>(_log)
        );
        await RegisterAsync("initech", """ "audiences":["https://initech.example/mcp"] """);
        await RegisterAsync("hooli", """ "audiences":["hooli"],"requireClients":true """);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
        _key.Dispose();
        _forger.Dispose();
    }

    public static TheoryData<string, string, string> Refusals { get; } =
        new()
        {
            { "opaque", "opaque", "opaque" },
            { "encrypted", "encrypted", "DisableAccessTokenEncryption|encrypted" },
            { "garbage", "malformed", "base64url" },
            { "issuer", "issuer", "'https://other.example'" },
            { "issuer by a slash", "issuer", "only the slash at the end differs" },
            {
                "audience",
                "audience",
                "'wrong', and the tenant takes 'https://initech.localhost/mcp', 'https://localhost/initech/mcp', "
                    + "'https://initech.example/mcp'"
            },
            { "no audience", "audience", "is none" },
            { "audience by a slash", "audience", "only the slash at the end differs" },
            { "algorithm", "algorithm", "'HS256'" },
            { "key", "key", "'two'" },
            { "signature", "signature", "'one' (P-256)" },
            { "expired", "expired", "expired 360" },
            { "not yet", "lifetime", "nbf" },
            { "ID token", "tokenType", "at_hash" },
            { "bound", "bound", "cnf" },
            { "critical", "critical", "crit" },
            { "no subject", "subject", "no sub" },
            { "numeric subject", "subject", "sub is a number" },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Each_cause_is_told_in_the_log_in_the_admin_api_and_for_a_token_that_is_posted(string kind, string cause, string says)
    {
        var token = Token(kind);
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("initech", token));
        var logged = Assert.Single(Events());
        Assert.Contains("initech", logged, StringComparison.Ordinal);
        AssertSays(logged, token, says);

        var refused = JsonNode.Parse(await AdminAsync(HttpMethod.Get, "/initech/refused-tokens"))!["refusedTokens"]!.AsArray();
        var last = Assert.Single(refused)!;
        Assert.Equal((cause, 1), (last["cause"]!.ToString(), (int)last["count"]!));
        AssertSays(last["reason"]!.ToString(), token, says);

        var explained = await ExplainAsync("initech", token);
        Assert.Equal((false, cause), ((bool)explained["accepted"]!, explained["cause"]!.ToString()));
        AssertSays(explained["reason"]!.ToString(), token, says);

        // To be asked about a token is not to be shown it.
        Assert.Single(Events());
    }

    [Fact]
    public async Task A_token_that_is_good_is_explained_and_believed_by_nobody_for_it()
    {
        var token = Token("good");
        var explained = await ExplainAsync("initech", "Bearer " + token);
        Assert.True((bool)explained["accepted"]!);
        Assert.Equal($"user:{_issuer.Url}|alice", explained["caller"]!.ToString());
        Assert.Equal("web", explained["client"]!.ToString());
        Assert.Equal("""["read"]""", explained["scopes"]!.ToJsonString());
        Assert.Equal(0, _server.Services.GetRequiredService<TenantJwts>().BelievedBytes);
        Assert.Equal(HttpStatusCode.OK, await CallAsync("initech", token));

        await AdminAsync(HttpMethod.Patch, "/initech", """{ "status": "suspended" }""");
        var suspended = await ExplainAsync("initech", token);
        Assert.False((bool)suspended["accepted"]!);
        Assert.Contains("suspended", suspended["reason"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_not_listed_is_named()
    {
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("hooli", Token("hooli")));
        Assert.Contains("'web' is not listed", Assert.Single(Events()), StringComparison.Ordinal);
        var explained = await ExplainAsync("hooli", Token("hooli"));
        Assert.Equal((false, "client"), ((bool)explained["accepted"]!, explained["cause"]!.ToString()));
        await AdminAsync(HttpMethod.Post, "/hooli/clients", """{ "clientId": "web" }""");
        Assert.True((bool)(await ExplainAsync("hooli", Token("hooli")))["accepted"]!);
    }

    [Fact]
    public async Task An_opaque_tokens_tenant_explains_it_too_and_shows_nothing_of_it()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("acme", "acme.s3cret"));
        var logged = Assert.Single(Events());
        Assert.Contains("No principal", logged, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", logged, StringComparison.Ordinal);
        Assert.Equal("principal", (await ExplainAsync("acme", "acme.s3cret"))["cause"]!.ToString());
        Assert.Contains("kind is 'bearer'", (await ExplainAsync("acme", Token("good")))["reason"]!.ToString(), StringComparison.Ordinal);
        Assert.True((bool)(await ExplainAsync("acme", McpCalls.Acme))["accepted"]!);
        Assert.False((bool)(await ExplainAsync("globex", McpCalls.Acme))["accepted"]!);
    }

    [Fact]
    public async Task An_issuer_without_keys_is_the_reason_where_it_is()
    {
        _issuer.Answer = StubServer.Issuer("""{ "keys": [] }""");
        var says = $"{_issuer.Url}/keys has no key for signatures";
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CallAsync("initech", Token("good")));
        var refused = JsonNode.Parse(await AdminAsync(HttpMethod.Get, "/initech/refused-tokens"))!["refusedTokens"]!.AsArray();
        foreach (var told in new[] { Assert.Single(refused)!, await ExplainAsync("initech", Token("good")) })
        {
            Assert.Equal("keysUnavailable", told["cause"]!.ToString());
            Assert.Contains(says, told["reason"]!.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_flood_is_logged_a_few_times_a_minute_and_hides_no_other_cause_and_no_other_tenant()
    {
        for (var i = 0; i < 40; i++)
        {
            await CallAsync("initech", $"opaque{i}");
        }

        Assert.Equal(TokenRefusals.EventsPerMinute, Events().Length);
        await CallAsync("initech", Token("audience"));
        Assert.Contains("'wrong'", Events()[^1], StringComparison.Ordinal);
        Assert.Contains("not logged: 30", Events()[^1], StringComparison.Ordinal);
        await CallAsync("hooli", "opaque");
        Assert.Contains("hooli", Events()[^1], StringComparison.Ordinal);

        var refused = JsonNode.Parse(await AdminAsync(HttpMethod.Get, "/initech/refused-tokens"))!["refusedTokens"]!.AsArray();
        Assert.Equal([("audience", 1), ("opaque", 40)], refused.Select(one => (one!["cause"]!.ToString(), (int)one["count"]!)));

        _time.Advance(TimeSpan.FromMinutes(1));
        var before = Events().Length;
        await CallAsync("initech", "opaque");
        Assert.Equal(before + 1, Events().Length);

        // A tenant that goes takes it along.
        await AdminAsync(HttpMethod.Delete, "/initech");
        await RegisterAsync("initech", """ "audiences":["new"] """);
        Assert.Equal("""{"refusedTokens":[]}""", await AdminAsync(HttpMethod.Get, "/initech/refused-tokens"));
    }

    [Fact]
    public async Task What_a_token_says_forges_no_line_of_the_log_and_fills_none()
    {
        await CallAsync(
            "initech",
            Sign($$"""{"iss":"{{_issuer.Url}}","aud":"a\r\n2026-01-01 forged\u2028{{new string('x', 5000)}}","exp":4102444800,"sub":"a"}""")
        );
        var logged = Assert.Single(Events());
        Assert.DoesNotContain("\n", logged, StringComparison.Ordinal);
        Assert.DoesNotContain("\u2028", logged, StringComparison.Ordinal);
        Assert.True(logged.Length < 1000, logged);
    }

    // In an attribute a line break would be one in the test's name, too.
    [Fact]
    public async Task What_an_issuer_calls_its_keys_forges_no_line_of_the_log_and_fills_none()
    {
        string[] ids = ["a\n2026-01-01 forged", "a\r\u2028\u0085\u202eb", "\ud83d\ude00", new string('x', 100_000), "one"];
        _issuer.Answer = StubServer.Issuer(TestKeys.Set([.. ids.Select(id => TestKeys.Ec(_forger, id))]));
        var settings = """ "audiences":["https://initech.example/mcp"] """;
        await AdminAsync(HttpMethod.Delete, "/initech");
        await RegisterAsync("initech", settings);
        foreach (var head in new[] { """ "kid":"two" """, """ "kid":"one" """, """ "x":1 """ })
        {
            var token = RawToken.Sign($$"""{"alg":"ES256",{{head.Trim()}}}""", Claims(), RawToken.By(_key));
            var before = Events().Length;
            await CallAsync("initech", token);
            var logged = Assert.Single(Events().Skip(before));
            Assert.DoesNotMatch("[\\p{C}\\p{Zl}\\p{Zp}]", logged);
            Assert.True(logged.Length < 1500, $"{logged.Length}");
            var explained = await ExplainAsync("initech", token);
            Assert.Contains(explained["cause"]!.ToString(), new[] { "key", "signature" });
            Assert.DoesNotMatch("[\\p{C}\\p{Zl}\\p{Zp}]", explained["reason"]!.ToString());
        }
    }

    [Theory]
    [InlineData("acme", "Basic YWNtZTpzZWNyZXQ=", "malformed")]
    [InlineData("acme", "Bearer", "malformed")]
    [InlineData("acme", "Bearer {long}", "malformed")]
    [InlineData("initech", "Basic YWNtZTpzZWNyZXQ=", "malformed")]
    [InlineData("initech", "Bearer {long}", "malformed")]
    public async Task Credentials_that_are_no_bearer_token_are_told_whatever_the_tenants_kind(string tenant, string header, string cause)
    {
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, null, McpCalls.Call("whoami"));
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            header.Replace("{long}", new string('x', 17 * 1024), StringComparison.Ordinal)
        );
        using var response = await _server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.DoesNotContain("YWNtZTpzZWNyZXQ", Assert.Single(Events()), StringComparison.Ordinal);
        var refused = JsonNode.Parse(await AdminAsync(HttpMethod.Get, $"/{tenant}/refused-tokens"))!["refusedTokens"]!.AsArray();
        Assert.Equal(cause, Assert.Single(refused)!["cause"]!.ToString());
    }

    [Fact]
    public async Task Callers_get_one_answer_whatever_the_cause()
    {
        HashSet<string> answers = [];
        foreach (var kind in Refusals.Select(row => row.Data.Item1))
        {
            using var request = McpCalls.Post(_server.Port, Way.Path, "initech", Token(kind), McpCalls.Call("whoami"));
            using var response = await _server.Client.SendAsync(request, Cancellation);
            answers.Add(
                $"{response.StatusCode} {response.Headers.WwwAuthenticate} {await response.Content.ReadAsStringAsync(Cancellation)}"
            );
        }

        Assert.Single(answers);
    }

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"token":""}""", 400)]
    [InlineData("""{"token":7}""", 400)]
    [InlineData("""{"tokens":"x"}""", 400)]
    [InlineData("[]", 400)]
    [InlineData("""{"token":"x"}""", 200)]
    public async Task A_question_has_a_token(string body, int status)
    {
        using var response = await _server.AdminAsync(HttpMethod.Post, "/initech/explain-token", body);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.True(response.Headers.CacheControl!.NoStore);
        using var missing = await _server.AdminAsync(HttpMethod.Post, "/nobody/explain-token", body);
        Assert.Equal(404, (int)missing.StatusCode);
    }

    [Fact]
    public async Task Where_no_proof_is_asked_for_any_token_is_let_in_as_anybody_is()
    {
        await AdminAsync(HttpMethod.Post, "?wait=true", """{"id":"open","authentication":{"kind":"none"}}""");
        var explained = await ExplainAsync("open", "nonsense");
        Assert.Equal((true, "anonymous"), ((bool)explained["accepted"]!, (string)explained["caller"]!));
        using var request = McpCalls.Post(_server.Port, Way.Path, "open", "nonsense", McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_question_is_answered_anew_whatever_key_it_is_sent_with()
    {
        foreach (var token in new[] { "first", "second" })
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post,
                $"http://localhost:{_server.Port}/admin/tenants/initech/explain-token"
            );
            request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
            request.Headers.Add("Idempotency-Key", "2f6b1c1e-5d0b-4a52-9a38-0f0f6d1c2b7a");
            request.Content = new StringContent($$"""{"token":"{{token}}"}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await _server.Client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task Who_has_no_key_is_told_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost:{_server.Port}/admin/tenants/initech/explain-token");
        request.Content = new StringContent("""{"token":"x"}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await _server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        using var list = await _server.Client.GetAsync(
            new Uri($"http://localhost:{_server.Port}/admin/tenants/initech/refused-tokens"),
            Cancellation
        );
        Assert.Equal(HttpStatusCode.Unauthorized, list.StatusCode);
    }

    private static void AssertSays(string reason, string token, string says)
    {
        Assert.True(says.Split('|').Any(one => reason.Contains(one, StringComparison.Ordinal)), reason);
        Assert.DoesNotContain("Unknown", reason, StringComparison.Ordinal);
        Assert.All(token.Split('.').Where(part => part.Length > 10), part => Assert.DoesNotContain(part, reason, StringComparison.Ordinal));
    }

    private string[] Events() => [.. _log.Entries.Where(entry => entry.Event == "TokenRefused").Select(entry => entry.Text)];

    private async Task RegisterAsync(string id, string settings) =>
        await AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$$"""{"id":"{{{id}}}","authentication":{"kind":"jwks","issuer":"{{{_issuer.Url}}}",{{{settings}}}}}"""
        );

    private string Claims() =>
        RawToken.Claims(_issuer.Url, "https://initech.example/mcp", """ "sub":"alice" """.Trim(), _time.GetUtcNow().AddHours(1));

    private string Token(string kind)
    {
        const string Audience = "https://initech.example/mcp";
        var soon = _time.GetUtcNow().AddHours(1);
        string Good(string others = "", string? audience = Audience, string? issuer = null, DateTimeOffset? expires = null) =>
            RawToken
                .Claims(issuer ?? _issuer.Url, audience ?? "-", """ "azp":"web","scope":"read" """.Trim() + others, expires ?? soon)
                .Replace("\"aud\":\"-\",", "", StringComparison.Ordinal);
        const string Alice = ""","sub":"alice" """;
        return kind switch
        {
            "opaque" => "2YotnFZFEjr1zCsicMWpAA",
            "encrypted" => "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
            "garbage" => "a.b.c",
            "issuer" => Sign(Good(Alice, issuer: "https://other.example")),
            "issuer by a slash" => Sign(Good(Alice, issuer: _issuer.Url + "/")),
            "audience" => Sign(Good(Alice, "wrong")),
            "no audience" => Sign(Good(Alice, null)),
            "audience by a slash" => Sign(Good(Alice, Audience + "/")),
            "algorithm" => RawToken.Sign("""{"alg":"HS256","kid":"one"}""", Good(Alice), RawToken.By(_key)),
            "key" => RawToken.Sign("""{"alg":"ES256","kid":"two"}""", Good(Alice), RawToken.By(_key)),
            "signature" => RawToken.Sign("""{"alg":"ES256","kid":"one"}""", Good(Alice), RawToken.By(_forger)),
            "expired" => Sign(Good(Alice, expires: _time.GetUtcNow().AddHours(-1))),
            "not yet" => Sign(Good($$"""{{Alice}},"nbf":{{soon.ToUnixTimeSeconds()}}""")),
            "ID token" => Sign(Good(Alice + ""","at_hash":"x" """)),
            "bound" => Sign(Good(Alice + ""","cnf":{"jkt":"x"}""")),
            "critical" => RawToken.Sign("""{"alg":"ES256","kid":"one","crit":["x"],"x":1}""", Good(Alice), RawToken.By(_key)),
            "no subject" => Sign(Good()),
            "numeric subject" => Sign(Good(""","sub":7""")),
            "hooli" => Sign(Good(Alice, "hooli")),
            _ => Sign(Good(Alice)),
        };
    }

    private string Sign(string claims) => RawToken.Sign("""{"alg":"ES256","kid":"one"}""", claims, RawToken.By(_key));

    private async Task<JsonNode> ExplainAsync(string tenant, string token) =>
        JsonNode.Parse(await AdminAsync(HttpMethod.Post, $"/{tenant}/explain-token", new JsonObject { ["token"] = token }.ToJsonString()))!;

    private async Task<string> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var response = await _server.AdminAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    private async Task<HttpStatusCode> CallAsync(string tenant, string token)
    {
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
