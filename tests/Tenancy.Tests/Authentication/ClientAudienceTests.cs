using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>
/// Issuers that name no audience: the listed clients stand for it. Two tenants at one pool that took one client would take each other's
/// tokens, so that it belongs to one of them, however lists and tenants change.
/// </summary>
[Tier(Tier.Server)]
public sealed class ClientAudienceTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private StubServer _pool = null!;
    private StubServer _other = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _pool = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _other = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
            },
            services: services => services.AddSingleton<TimeProvider>(_time)
        );
        await RegisterAsync("acme", _pool);
        await RegisterAsync("globex", _pool);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _pool.DisposeAsync();
        await _other.DisposeAsync();
        _key.Dispose();
    }

    [Theory]
    [InlineData(""" "client_id":"web","token_use":"access" """, 200)]
    [InlineData(""" "client_id":"web","aud":null """, 200)]
    [InlineData(""" "client_id":"web","aud":[] """, 200)]
    [InlineData(""" "azp":"web" """, 200)]
    [InlineData(""" "aud":"web","scope":"read" """, 200)]
    [InlineData(""" "aud":"web","mode":"access" """, 200)]
    [InlineData(""" "aud":["web"],"client_id":"web","scp":["read"] """, 200)]
    [InlineData(""" "client_id":"web","aud":"https://acme.localhost/mcp" """, 200)]
    [InlineData(""" "client_id":"other" """, 403)]
    [InlineData(""" "client_id":"Web" """, 403)]
    [InlineData(""" "client_id":"other","aud":"https://acme.localhost/mcp" """, 403)]
    [InlineData(""" "aud":"other","scope":"read" """, 403)]
    [InlineData(""" "aud":"web" """, 401)]
    [InlineData(""" "aud":"web","azp":"web" """, 401)]
    [InlineData(""" "client_id":"web","token_use":"id" """, 401)]
    [InlineData(""" "client_id":"web","aud":"https://elsewhere.example" """, 401)]
    [InlineData(""" "client_id":"web","aud":["web","https://elsewhere.example"],"scope":"read" """, 401)]
    [InlineData(""" "client_id":"web","aud":[""] """, 401)]
    [InlineData(""" "client_id":"other","aud":"web","scope":"read" """, 401)]
    [InlineData(""" "client_id":7 """, 401)]
    [InlineData(""" "scope":"read" """, 401)]
    public async Task A_listed_client_stands_for_the_audience_that_a_token_does_not_name(string claims, int status)
    {
        await ListAsync("acme", "web");
        Assert.Equal(status, await CallAsync("acme", claims));
        Assert.NotEqual(200, await CallAsync("globex", claims));
    }

    [Fact]
    public async Task Where_it_is_not_set_a_token_names_an_audience_whoever_is_listed()
    {
        await RegisterAsync("strict", _pool, """ "requireClients":true """);
        await ListAsync("strict", "web");
        Assert.Equal(401, await CallAsync("strict", """ "client_id":"web" """));
        Assert.Equal(401, await CallAsync("strict", """ "client_id":"web","aud":"web","scope":"read" """));
    }

    [Fact]
    public async Task A_client_of_one_issuer_belongs_to_one_tenant_at_each_change_of_the_list()
    {
        var handle = await ListAsync("acme", "web");
        var refused = await TryListAsync("globex", "web");
        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Contains("'acme'", refused.Body, StringComparison.Ordinal);
        Assert.Equal(200, await CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(403, await CallAsync("globex", """ "client_id":"web" """));
        Assert.DoesNotContain("web", await AdminAsync(HttpMethod.Get, "/globex/clients"), StringComparison.Ordinal);

        // What one gives up is the other's at once, and not its own any more.
        await AdminAsync(HttpMethod.Delete, $"/acme/clients/{handle}");
        await ListAsync("globex", "web");
        Assert.Equal(HttpStatusCode.Conflict, (await TryListAsync("acme", "web")).Status);
        _time.Advance(ClientCache.Freshness);
        Assert.Equal(403, await CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(200, await CallAsync("globex", """ "client_id":"web" """));

        // The same id at another issuer is another client.
        await RegisterAsync("initech", _other);
        await ListAsync("initech", "web");
        Assert.Equal(401, await CallAsync("initech", """ "client_id":"web" """));
        Assert.Equal(200, await CallAsync("initech", """ "client_id":"web" """, _other));
    }

    [Fact]
    public async Task Nor_can_a_change_of_the_tenant_bring_a_client_that_another_has()
    {
        await ListAsync("acme", "web");

        // Without the mode a list is no claim. With it, and with the issuer, it becomes one.
        await RegisterAsync("later", _pool, """ "requireClients":true """);
        await ListAsync("later", "web");
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""");

        await RegisterAsync("moved", _other);
        await ListAsync("moved", "own");
        await AssertRefusedAsync("later", """{ "authentication": { "audiences": ["web"] } }""");
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""", "?force=true");
        Assert.Equal(401, await CallAsync("later", """ "client_id":"web" """));

        // An audience of that name is the same claim, both ways.
        await RegisterAsync("named", _pool, """ "audiences":["api"] """);
        Assert.Equal(HttpStatusCode.Conflict, (await TryListAsync("globex", "api")).Status);

        // A claim lives as long as the setting does.
        await AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "audienceFromClients": false } }""");
        await AdminAsync(HttpMethod.Patch, "/later", """{ "authentication": { "audienceFromClients": true } }""");
        Assert.Equal(200, await CallAsync("later", """ "client_id":"web" """));
        Assert.Equal(401, await CallAsync("acme", """ "client_id":"web" """));
        await AssertRefusedAsync("acme", """{ "authentication": { "audienceFromClients": true } }""");
    }

    [Fact]
    public async Task Nor_can_a_tenant_that_comes_back()
    {
        await ListAsync("acme", "web");
        await AdminAsync(HttpMethod.Post, "/acme/unregister");
        await ListAsync("globex", "web");
        var acme = Tenant("acme", _pool, """ "requireClients":true,"audienceFromClients":true """);
        using (var refused = await _server.AdminAsync(HttpMethod.Post, "?adopt=true", acme))
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        await AdminAsync(HttpMethod.Delete, "/globex");
        await AdminAsync(HttpMethod.Post, "?adopt=true&wait=true", acme);
        Assert.Equal(200, await CallAsync("acme", """ "client_id":"web" """));
    }

    [Fact]
    public async Task A_client_whose_listing_ended_is_taken_over()
    {
        await AdminAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "web", "expiresIn": 60 }""");
        Assert.Equal(HttpStatusCode.Conflict, (await TryListAsync("globex", "web")).Status);
        _time.Advance(TimeSpan.FromMinutes(2));
        await ListAsync("globex", "web");
        Assert.Equal(200, await CallAsync("globex", """ "client_id":"web" """));
        Assert.Equal(403, await CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(HttpStatusCode.Conflict, (await TryListAsync("acme", "web")).Status);
    }

    [Fact]
    public async Task Of_two_tenants_that_list_a_client_at_once_exactly_one_has_it()
    {
        for (var i = 0; i < 20; i++)
        {
            var client = $"c{i}";
            var results = await Task.WhenAll(TryListAsync("acme", client), TryListAsync("globex", client));
            Assert.Single(results, result => result.Status == HttpStatusCode.Created);
            var statuses = await Task.WhenAll(
                CallAsync("acme", $""" "client_id":"{client}" """),
                CallAsync("globex", $""" "client_id":"{client}" """)
            );
            Assert.Single(statuses, status => status == 200);
            Assert.Equal(results[0].Status == HttpStatusCode.Created, statuses[0] == 200);
        }
    }

    // Somebody saw that the tenant does not list the client yet, and gives its claim up too late.
    [Fact]
    public async Task A_claim_that_was_made_again_is_not_given_up()
    {
        var claims = _server.Services.GetRequiredService<ClientClaims>();
        var acme = _server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var issuer = acme.Config.Authentication!.Issuer!;
        await claims.ClaimAsync(acme.Id, acme.Generation, issuer, "web");
        var seen = await claims.CountAsync(acme.Id);
        await claims.ClaimAsync(acme.Id, acme.Generation, issuer, "web");
        await claims.ReleaseAsync(acme.Id, acme.Generation, acme.Version, seen, issuer, "web");
        Assert.Equal("acme", await claims.FindOwnerAsync(issuer, "web"));
        await claims.ReleaseAsync(acme.Id, acme.Generation, acme.Version, await claims.CountAsync(acme.Id), issuer, "web");
        Assert.Null(await claims.FindOwnerAsync(issuer, "web"));
    }

    [Fact]
    public async Task A_client_that_is_listed_while_the_tenant_changes_keeps_its_claim()
    {
        for (var i = 0; i < 10; i++)
        {
            await Task.WhenAll(
                ListAsync("acme", $"c{i}"),
                AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "name": "Name {{i}}" }"""),
                AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "limits": { "rateLimit": {{5000 + i}} } }""")
            );
            Assert.Equal(200, await CallAsync("acme", $""" "client_id":"c{i}" """));
            Assert.Equal(HttpStatusCode.Conflict, (await TryListAsync("globex", $"c{i}")).Status);
        }
    }

    [Fact]
    public async Task Without_its_claim_a_listing_is_worth_nothing()
    {
        await ListAsync("acme", "web");
        Assert.Equal(200, await CallAsync("acme", """ "client_id":"web" """));
        var acme = _server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var claims = _server.Services.GetRequiredService<ClientClaims>();
        await claims.ReleaseAsync(acme.Id, acme.Generation, acme.Version, await claims.CountAsync(acme.Id), _pool.Url, "web");
        _time.Advance(ClientCache.Freshness);
        Assert.Equal(403, await CallAsync("acme", """ "client_id":"web" """));
    }

    private static string Tenant(string id, StubServer issuer, string settings) =>
        $$$"""{"id":"{{{id}}}","authentication":{"kind":"jwks","issuer":"{{{issuer.Url}}}",{{{settings}}}}}""";

    private async Task RegisterAsync(
        string id,
        StubServer issuer,
        string settings = """ "requireClients":true,"audienceFromClients":true """
    ) => await AdminAsync(HttpMethod.Post, "?wait=true", Tenant(id, issuer, settings));

    private async Task<string> ListAsync(string tenant, string client)
    {
        var (status, body) = await TryListAsync(tenant, client);
        Assert.True(status == HttpStatusCode.Created, body);
        return JsonNode.Parse(body)!["handle"]!.ToString();
    }

    private async Task<(HttpStatusCode Status, string Body)> TryListAsync(string tenant, string client)
    {
        using var response = await _server.AdminAsync(HttpMethod.Post, $"/{tenant}/clients", $$"""{ "clientId": "{{client}}" }""");
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task AssertRefusedAsync(string tenant, string patch, string query = "")
    {
        var before = await AdminAsync(HttpMethod.Get, "/" + tenant);
        using var response = await _server.AdminAsync(HttpMethod.Patch, $"/{tenant}{query}", patch);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(before, await AdminAsync(HttpMethod.Get, "/" + tenant));
    }

    private async Task<string> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var response = await _server.AdminAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    private async Task<int> CallAsync(string tenant, string claims, StubServer? issuer = null)
    {
        var all =
            $$"""{"iss":"{{(issuer ?? _pool).Url}}","sub":"alice","exp":{{_time.GetUtcNow().AddHours(1).ToUnixTimeSeconds()}},"""
            + $"{claims.Trim()}}}";
        var token = RawToken.Sign("""{"alg":"ES256","kid":"one"}""", all, RawToken.By(_key));
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }
}
