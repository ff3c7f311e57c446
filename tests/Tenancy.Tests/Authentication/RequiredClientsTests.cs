using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Where a tenant requires clients, only tokens of those that it lists are good.</summary>
[Tier(Tier.Process)]
public sealed class RequiredClientsTests : IAsyncLifetime
{
    private const string AcmeAudience = "https://acme.localhost/mcp";
    private const string GlobexAudience = "https://globex.localhost/mcp";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TestIssuer _issuer = null!;
    private RedisServer _redis = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Two tenants at one identity provider, both of which require clients.</summary>
    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _redis = await RedisServer.StartAsync();
        _server = await StartAsync(_time);
        foreach (var id in new[] { "acme", "globex" })
        {
            await AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                $$"""{ "id": "{{id}}", "limits": { "rateLimit": 100000 }, "authentication": { "kind": "jwks", "issuer":"""
                    + $$""" "{{_issuer.Url}}", "requireClients": true } }"""
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _redis.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_listed_client_is_served_and_any_other_is_403_with_one_answer()
    {
        await ListAsync("acme", "agent");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", await _issuer.GetTokenAsync("alice", AcmeAudience, "agent"))).Status);

        string[] others =
        [
            await _issuer.GetTokenAsync("alice", AcmeAudience, "other"),
            await _issuer.GetTokenAsync("alice", AcmeAudience),
            Mint("Agent"),
            Mint("agent "),
            Mint("agent\u200b"),
            Mint("\u0430gent"),
            Mint("agent\0"),
            Mint("*"),
            Mint(""),
            Mint(new string('a', 10 * 1024)),
            _issuer.Mint(AcmeAudience),
            _issuer.Mint(AcmeAudience, claims => claims["client_id"] = new[] { "agent", "other" }),
            _issuer.Mint(AcmeAudience, claims => claims["client_id"] = new Dictionary<string, object> { ["agent"] = "agent" }),
            _issuer.Mint(AcmeAudience, claims => claims["cid"] = "agent"),
            _issuer.Mint(AcmeAudience, claims => claims["sub"] = "agent"),
            _issuer.Mint(AcmeAudience, claims => (claims["azp"], claims["client_id"]) = ("other", "agent")),
            _issuer.Mint(AcmeAudience, claims => (claims["azp"], claims["client_id"]) = ("", "agent")),
        ];
        var answers = new HashSet<(HttpStatusCode, string, string)>();
        foreach (var token in others)
        {
            var answer = await CallAsync("acme", token);
            Assert.True(answer.Status == HttpStatusCode.Forbidden, token);
            answers.Add(answer);
            answers.Add(await CallAsync("acme", token, "get_products"));
        }

        var (status, challenge, body) = Assert.Single(answers);
        Assert.Equal((HttpStatusCode.Forbidden, ""), (status, challenge));
        var error = JsonNode.Parse(body)!["error"]!;
        Assert.Equal((-32028, "AUTH_REQUIRED"), ((int)error["code"]!, error["data"]!["adcp_error"]!["code"]!.ToString()));

        // Who shows nothing, or what is not valid, is told as elsewhere.
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token: null, "get_products")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("acme", "garbage")).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CallAsync("acme", _issuer.Mint(GlobexAudience, claims => claims["client_id"] = "agent"))).Status
        );
    }

    [Theory]
    [InlineData("azp")]
    [InlineData("client_id")]
    public async Task A_client_is_known_by_either_claim_with_a_user_and_without(string claim)
    {
        await ListAsync("acme", "robot");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", _issuer.Mint(AcmeAudience, claims => claims[claim] = "robot"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", _issuer.Mint(AcmeAudience, claims =>
                    {
                        claims.Remove("sub");
                        claims["gty"] = "client-credentials";
                        claims[claim] = "robot";
                    }))).Status);
    }

    [Fact]
    public async Task No_client_id_breaks_out_of_the_list()
    {
        await ListAsync("acme", "agent");
        await HostileText.Gen.SampleAsync(
            async id =>
            {
                // UTF-8 has no half of a surrogate pair, and a token no more than 16 KB.
                var token = _issuer.Mint(AcmeAudience, claims =>
                    claims["client_id"] = string.Concat(id.Where(c => !char.IsSurrogate(c)).Take(2000))
                );
                var (status, _, body) = await CallAsync("acme", token);
                Assert.True(status == HttpStatusCode.Forbidden, $"{status} {body}");
            },
            iter: 100,
            threads: 1
        );
    }

    [Fact]
    public async Task A_client_that_one_tenant_lists_is_nobody_at_its_neighbour()
    {
        await ListAsync("acme", "agent");
        var both = _issuer.Mint("", claims => (claims["aud"], claims["client_id"]) = (new[] { AcmeAudience, GlobexAudience }, "agent"));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", both)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("globex", both)).Status);
        var handle = await ListAsync("globex", "agent");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("globex", both)).Status);
        await AdminAsync(HttpMethod.Delete, $"/globex/clients/{handle}");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", both)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("globex", both)).Status);
    }

    [Fact]
    public async Task A_client_that_is_taken_out_stops_at_once_although_its_token_is_believed_and_so_does_its_session()
    {
        var token = Mint("agent");
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", token)).Status);
        var handle = await ListAsync("acme", "agent");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token)).Status);
        var session = await _server.InitializeAsync("acme", token);
        await AdminAsync(HttpMethod.Delete, $"/acme/clients/{handle}");
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", token)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", token, session: session)).Status);
    }

    [Fact]
    public async Task On_another_node_a_client_that_is_taken_out_stops_within_a_second()
    {
        await using var other = await StartAsync(TimeProvider.System);
        var token = Mint("agent");
        var handle = await ListAsync("acme", "agent");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token, server: other)).Status);
        await AdminAsync(HttpMethod.Delete, $"/acme/clients/{handle}");
        await Poll.UntilAsync(async () => (await CallAsync("acme", token, server: other)).Status == HttpStatusCode.Forbidden, seconds: 3);
    }

    [Fact]
    public async Task A_client_that_is_used_lives_on_and_one_that_is_not_expires()
    {
        await ListAsync("acme", "busy", expiresIn: 3600);
        await ListAsync("acme", "idle", expiresIn: 3600);
        for (var i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", Mint("busy"))).Status);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", Mint("idle"))).Status);
        Assert.Equal(
            ["busy"],
            (await AdminAsync(HttpMethod.Get, "/acme/clients"))!["clients"]!.AsArray().Select(client => client!["clientId"]!.ToString())
        );
    }

    [Fact]
    public async Task A_client_ends_on_time_although_the_node_has_just_asked_for_it()
    {
        await ListAsync("acme", "agent", expiresIn: 60);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", Mint("agent"))).Status);
        await _redis.StopAsync();
        _time.Advance(TimeSpan.FromSeconds(58));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", Mint("agent"))).Status);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await CallAsync("acme", Mint("agent"))).Status);
    }

    [Fact]
    public async Task While_the_store_is_away_a_known_client_is_served_for_five_minutes_and_others_are_503()
    {
        await ListAsync("acme", "agent");
        await ListAsync("acme", "unseen");
        var (agent, unseen) = (Mint("agent"), Mint("unseen"));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", agent)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", Mint("other"))).Status);

        await _redis.StopAsync();
        _time.Advance(ClientCache.MaximumAge - TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", agent)).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", agent)).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await CallAsync("acme", unseen)).Status);

        // Not listed a moment ago is not for sure not listed now.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await CallAsync("acme", Mint("other"))).Status);
        _time.Advance(TimeSpan.FromSeconds(1));
        var (status, _, body) = await CallAsync("acme", agent);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("-32027", body, StringComparison.Ordinal);

        await _redis.LaunchAsync();
        await Poll.UntilAsync(async () => (await CallAsync("acme", agent)).Status == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", unseen)).Status);
        _time.Advance(ClientCache.Freshness);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", Mint("other"))).Status);
    }

    [Fact]
    public async Task A_removal_that_the_store_does_not_confirm_ends_what_the_node_believes()
    {
        var handle = await ListAsync("acme", "agent");
        var token = Mint("agent");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token)).Status);
        await _redis.StopAsync();
        using (var removed = await _server.AdminAsync(HttpMethod.Delete, $"/acme/clients/{handle}"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, removed.StatusCode);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await CallAsync("acme", token)).Status);
    }

    [Fact]
    public async Task Clients_can_be_required_while_the_identity_provider_is_away_and_let_go_again()
    {
        await ListAsync("acme", "agent");
        var token = Mint("other");
        await AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "requireClients": false } }""");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token)).Status);
        _issuer.Outage = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        var patched = await AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "requireClients": true } }""");
        Assert.Equal(("healthy", true), (patched!["health"]!.ToString(), (bool)patched["authentication"]!["requireClients"]!));
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", Mint("agent"))).Status);
    }

    [Fact]
    public async Task A_client_of_the_identity_provider_before_is_no_client_of_the_one_after()
    {
        await using var next = await TestIssuer.StartAsync();
        await ListAsync("acme", "web");
        await AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "authentication": { "issuer": "{{next.Url}}" } }""");
        var token = next.Mint(AcmeAudience, claims => claims["client_id"] = "web");
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", token)).Status);
        await ListAsync("acme", "web");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", token)).Status);
    }

    [Fact]
    public async Task An_endpoint_of_ones_own_refuses_other_clients_too()
    {
        await ListAsync("acme", "agent");
        Assert.Equal((HttpStatusCode.OK, ""), await OwnAsync(Mint("agent")));
        var (status, type) = await OwnAsync(Mint("other"));
        Assert.Equal((HttpStatusCode.Forbidden, "application/problem+json"), (status, type));
        Assert.Equal(HttpStatusCode.Unauthorized, (await OwnAsync("garbage")).Status);
    }

    [Fact]
    public async Task A_client_that_is_a_document_is_known_by_its_URL()
    {
        await using var site = await StubServer.StartAsync(context =>
            context.Response.WriteAsync($$"""{ "client_id": "http://{{context.Request.Host}}/client.json" }""")
        );
        await ListAsync("acme", site.Url + "/client.json");
        Assert.Equal(
            HttpStatusCode.OK,
            (await CallAsync("acme", await _issuer.GetTokenAsync("alice", AcmeAudience, site.Url + "/client.json"))).Status
        );
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", Mint(site.Url + "/client.json?"))).Status);

        // Calls fetch nothing.
        Assert.Single(site.Paths);
    }

    [Fact]
    public async Task The_store_is_asked_for_a_client_once_a_second_however_often_it_calls()
    {
        await ListAsync("acme", "agent");
        var (agent, other) = (Mint("agent"), Mint("other"));
        await CallAsync("acme", agent);
        await CallAsync("acme", other);
        _time.Advance(ClientCache.Freshness);
        var before = await ScriptsAsync();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", agent)).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync("acme", other)).Status);
        }

        // One per client, and the few trips that the rate limit needs for the ten calls that got so far. Asked each time it would be
        // twenty.
        Assert.InRange(await ScriptsAsync() - before, 2, 8);

        async Task<int> ScriptsAsync() =>
            int.Parse(
                Regex
                    .Match(
                        await _server.Services.GetRequiredService<RedisConnection>().GetInfoAsync("commandstats"),
                        "cmdstat_evalsha:calls=([0-9]+)"
                    )
                    .Groups[1]
                    .Value,
                CultureInfo.InvariantCulture
            );
    }

    private async Task<TenancyServer> StartAsync(TimeProvider time) =>
        await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:AnonymousTools:0"] = "get_products",
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.AddSingleton(time),
            endpoints: app => app.MapGet("/{tenant}/own", () => Results.Ok()).RequireTenant().RequireAuthorization(),
            redis: _redis
        );

    private string Mint(string clientId) =>
        _issuer.Mint(AcmeAudience, claims => claims["client_id"] = clientId, expires: DateTime.UtcNow.AddDays(2));

    private async Task<string> ListAsync(string tenant, string clientId, int expiresIn = 7776000) =>
        (await AdminAsync(HttpMethod.Post, $"/{tenant}/clients", $$"""{ "clientId": "{{clientId}}", "expiresIn": {{expiresIn}} }"""))![
            "handle"
        ]!.ToString();

    private async Task<JsonNode?> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var answer = await _server.AdminAsync(method, path, body);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.Length > 0 ? JsonNode.Parse(text) : null;
    }

    private async Task<(HttpStatusCode Status, string ContentType)> OwnAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/acme/own");
        request.Headers.Add("Authorization", "Bearer " + token);
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "");
    }

    private async Task<(HttpStatusCode Status, string Challenge, string Body)> CallAsync(
        string tenant,
        string? token,
        string tool = "whoami",
        string? session = null,
        TenancyServer? server = null
    )
    {
        server ??= _server;
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            tenant,
            token,
            McpCalls.Call(tool),
            session is null ? null : Generation.Sessions,
            session
        );
        using var response = await server.Client.SendAsync(request, Cancellation);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            Assert.NotNull(response.Headers.RetryAfter);
        }

        return (response.StatusCode, response.Headers.WwwAuthenticate.ToString(), await response.Content.ReadAsStringAsync(Cancellation));
    }
}
