using System.Net;
using Microsoft.Extensions.DependencyInjection;
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
    private readonly TenantsOfOnePool _tenants = new();

    public ValueTask InitializeAsync() => _tenants.InitializeAsync();

    public ValueTask DisposeAsync() => _tenants.DisposeAsync();

    [Fact]
    public async Task Where_it_is_not_set_a_token_names_an_audience_whoever_is_listed()
    {
        await _tenants.RegisterAsync("strict", _tenants.Pool, """ "requireClients":true """);
        await _tenants.ListAsync("strict", "web");
        Assert.Equal(401, await _tenants.CallAsync("strict", """ "client_id":"web" """));
        Assert.Equal(401, await _tenants.CallAsync("strict", """ "client_id":"web","aud":"web","scope":"read" """));
    }

    [Fact]
    public async Task A_client_of_one_issuer_belongs_to_one_tenant_at_each_change_of_the_list()
    {
        var handle = await _tenants.ListAsync("acme", "web");
        var refused = await _tenants.TryListAsync("globex", "web");
        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Contains("'acme'", refused.Body, StringComparison.Ordinal);
        Assert.Equal(200, await _tenants.CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(403, await _tenants.CallAsync("globex", """ "client_id":"web" """));
        Assert.DoesNotContain("web", await _tenants.AdminAsync(HttpMethod.Get, "/globex/clients"), StringComparison.Ordinal);

        // What one gives up is the other's at once, and not its own any more.
        await _tenants.AdminAsync(HttpMethod.Delete, $"/acme/clients/{handle}");
        await _tenants.ListAsync("globex", "web");
        Assert.Equal(HttpStatusCode.Conflict, (await _tenants.TryListAsync("acme", "web")).Status);
        _tenants.Time.Advance(ClientCache.Freshness);
        Assert.Equal(403, await _tenants.CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(200, await _tenants.CallAsync("globex", """ "client_id":"web" """));

        // The same id at another issuer is another client.
        await _tenants.RegisterAsync("initech", _tenants.Other);
        await _tenants.ListAsync("initech", "web");
        Assert.Equal(401, await _tenants.CallAsync("initech", """ "client_id":"web" """));
        Assert.Equal(200, await _tenants.CallAsync("initech", """ "client_id":"web" """, _tenants.Other));
    }

    [Fact]
    public async Task Nor_can_a_change_of_the_tenant_bring_a_client_that_another_has()
    {
        await _tenants.ListAsync("acme", "web");

        // Without the mode a list is no claim. With it, and with the issuer, it becomes one.
        await _tenants.RegisterAsync("later", _tenants.Pool, """ "requireClients":true """);
        await _tenants.ListAsync("later", "web");
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""");

        await _tenants.RegisterAsync("moved", _tenants.Other);
        await _tenants.ListAsync("moved", "own");
        await AssertRefusedAsync("later", """{ "authentication": { "audiences": ["web"] } }""");
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""", "?force=true");
        Assert.Equal(401, await _tenants.CallAsync("later", """ "client_id":"web" """));

        // An audience of that name is the same claim, both ways.
        await _tenants.RegisterAsync("named", _tenants.Pool, """ "audiences":["api"] """);
        Assert.Equal(HttpStatusCode.Conflict, (await _tenants.TryListAsync("globex", "api")).Status);

        // A claim lives as long as the setting does.
        await _tenants.AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "audienceFromClients": false } }""");
        await _tenants.AdminAsync(HttpMethod.Patch, "/later", """{ "authentication": { "audienceFromClients": true } }""");
        Assert.Equal(200, await _tenants.CallAsync("later", """ "client_id":"web" """));
        Assert.Equal(401, await _tenants.CallAsync("acme", """ "client_id":"web" """));
        await AssertRefusedAsync("acme", """{ "authentication": { "audienceFromClients": true } }""");
    }

    [Fact]
    public async Task Nor_can_a_tenant_that_comes_back()
    {
        await _tenants.ListAsync("acme", "web");
        await _tenants.AdminAsync(HttpMethod.Post, "/acme/unregister");
        await _tenants.ListAsync("globex", "web");
        var acme = TenantsOfOnePool.Tenant("acme", _tenants.Pool, """ "requireClients":true,"audienceFromClients":true """);
        using (var refused = await _tenants.Server.AdminAsync(HttpMethod.Post, "?adopt=true", acme))
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        await _tenants.AdminAsync(HttpMethod.Delete, "/globex");
        await _tenants.AdminAsync(HttpMethod.Post, "?adopt=true&wait=true", acme);
        Assert.Equal(200, await _tenants.CallAsync("acme", """ "client_id":"web" """));
    }

    [Fact]
    public async Task A_client_whose_listing_ended_is_taken_over()
    {
        await _tenants.AdminAsync(HttpMethod.Post, "/acme/clients", """{ "clientId": "web", "expiresIn": 60 }""");
        Assert.Equal(HttpStatusCode.Conflict, (await _tenants.TryListAsync("globex", "web")).Status);
        _tenants.Time.Advance(TimeSpan.FromMinutes(2));
        await _tenants.ListAsync("globex", "web");
        Assert.Equal(200, await _tenants.CallAsync("globex", """ "client_id":"web" """));
        Assert.Equal(403, await _tenants.CallAsync("acme", """ "client_id":"web" """));
        Assert.Equal(HttpStatusCode.Conflict, (await _tenants.TryListAsync("acme", "web")).Status);
    }

    [Fact]
    public async Task Of_two_tenants_that_list_a_client_at_once_exactly_one_has_it()
    {
        for (var i = 0; i < 20; i++)
        {
            var client = $"c{i}";
            var results = await Task.WhenAll(_tenants.TryListAsync("acme", client), _tenants.TryListAsync("globex", client));
            Assert.Single(results, result => result.Status == HttpStatusCode.Created);
            var statuses = await Task.WhenAll(
                _tenants.CallAsync("acme", $""" "client_id":"{client}" """),
                _tenants.CallAsync("globex", $""" "client_id":"{client}" """)
            );
            Assert.Single(statuses, status => status == 200);
            Assert.Equal(results[0].Status == HttpStatusCode.Created, statuses[0] == 200);
        }
    }

    private const string ByOrganization = """ "requireClients":true,"audienceFromClients":true,"clientClaim":"org_id" """;
    private const string OfBoth = """ "client_id":"Y","org_id":"X","scope":"read" """;

    // By two claims one token would be of two clients, one at each tenant, and both would take it.
    [Fact]
    public async Task The_tenants_of_one_issuer_find_their_clients_by_one_claim()
    {
        await _tenants.ListAsync("acme", "Y");
        await AssertNotRegisteredAsync("orga", ByOrganization);
        await AssertNotRegisteredAsync("orga", ByOrganization.Replace("org_id", "client_id", StringComparison.Ordinal));

        // At another issuer it is another matter, and the tenants there agree among themselves.
        await _tenants.RegisterAsync("orga", _tenants.Other, ByOrganization);
        await _tenants.RegisterAsync("orgb", _tenants.Other, ByOrganization);
        await _tenants.ListAsync("orga", "X");
        Assert.Equal(200, await _tenants.CallAsync("orga", OfBoth, _tenants.Other));
        Assert.Equal(403, await _tenants.CallAsync("orgb", OfBoth, _tenants.Other));
        await AssertNotRegisteredAsync("third", """ "requireClients":true,"audienceFromClients":true """, _tenants.Other);
    }

    [Fact]
    public async Task Nor_can_a_change_bring_a_second_claim()
    {
        await AssertRefusedAsync("acme", """{ "authentication": { "clientClaim": "org_id" } }""");
        await AssertRefusedAsync("acme", """{ "authentication": { "clientClaim": "org_id" } }""", "?force=true");
        await _tenants.RegisterAsync("later", _tenants.Pool, """ "requireClients":true,"clientClaim":"org_id" """);
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""");
        await _tenants.RegisterAsync("moved", _tenants.Other, ByOrganization);
        await AssertRefusedAsync("moved", $$"""{ "authentication": { "issuer": "{{_tenants.Pool.Url}}" } }""");

        // Whoever is alone may change it, as often as may be, and binds those who come later.
        await _tenants.AdminAsync(HttpMethod.Delete, "/globex");
        for (var i = 0; i < 3; i++)
        {
            await _tenants.AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "name": "Name {{i}}" }""");
            await _tenants.AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "clientClaim": "org_id" } }""");
            await AssertNotRegisteredAsync("globex", """ "requireClients":true,"audienceFromClients":true """);
            await _tenants.AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "clientClaim": null } }""");
        }

        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""");

        // The last one that gives it up leaves nothing behind.
        await _tenants.RegisterAsync("globex", _tenants.Pool);
        await _tenants.AdminAsync(HttpMethod.Delete, "/globex");
        await AssertRefusedAsync("later", """{ "authentication": { "audienceFromClients": true } }""");
        await _tenants.AdminAsync(HttpMethod.Patch, "/acme", """{ "authentication": { "audienceFromClients": false } }""");
        await _tenants.AdminAsync(HttpMethod.Patch, "/later", """{ "authentication": { "audienceFromClients": true } }""");
        await AssertRefusedAsync("acme", """{ "authentication": { "audienceFromClients": true } }""");
    }

    [Fact]
    public async Task Nor_can_a_tenant_that_comes_back_bring_one()
    {
        await _tenants.AdminAsync(HttpMethod.Delete, "/globex");
        await _tenants.ListAsync("acme", "Y");
        await _tenants.AdminAsync(HttpMethod.Post, "/acme/unregister");
        await _tenants.RegisterAsync("orga", _tenants.Pool, ByOrganization);
        await _tenants.ListAsync("orga", "X");
        Assert.Equal(200, await _tenants.CallAsync("orga", OfBoth));
        var acme = TenantsOfOnePool.Tenant("acme", _tenants.Pool, """ "requireClients":true,"audienceFromClients":true """);
        using (var refused = await _tenants.Server.AdminAsync(HttpMethod.Post, "?adopt=true", acme))
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        await _tenants.AdminAsync(HttpMethod.Delete, "/orga");
        await _tenants.AdminAsync(HttpMethod.Post, "?adopt=true&wait=true", acme);
        Assert.Equal(200, await _tenants.CallAsync("acme", OfBoth));
    }

    [Fact]
    public async Task Of_two_tenants_that_name_two_claims_at_once_one_is_refused()
    {
        for (var i = 0; i < 10; i++)
        {
            var settings = new[] { ByOrganization, ByOrganization.Replace("org_id", "team_id", StringComparison.Ordinal) };
            var made = await Task.WhenAll(
                settings.Select((one, at) => PostAsync(TenantsOfOnePool.Tenant($"t{i}-{at}", _tenants.Other, one)))
            );
            Assert.Single(made, status => status == HttpStatusCode.Conflict);
            await _tenants.AdminAsync(HttpMethod.Delete, $"/t{i}-{(made[0] == HttpStatusCode.Conflict ? 1 : 0)}");
        }
    }

    private async Task<HttpStatusCode> PostAsync(string tenant)
    {
        using var response = await _tenants.Server.AdminAsync(HttpMethod.Post, "", tenant);
        return response.StatusCode;
    }

    private async Task AssertNotRegisteredAsync(string id, string settings, StubServer? issuer = null)
    {
        var tenant = TenantsOfOnePool.Tenant(id, issuer ?? _tenants.Pool, settings);
        using var response = await _tenants.Server.AdminAsync(HttpMethod.Post, "", tenant);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.Conflict, body);
        Assert.Contains("clientClaim", body, StringComparison.Ordinal);
    }

    // Somebody saw that the tenant does not list the client yet, and gives its claim up too late.
    [Fact]
    public async Task A_claim_that_was_made_again_is_not_given_up()
    {
        var claims = _tenants.Server.Services.GetRequiredService<ClientClaims>();
        var acme = _tenants.Server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var issuer = _tenants.Pool.Url;
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
                _tenants.ListAsync("acme", $"c{i}"),
                _tenants.AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "name": "Name {{i}}" }"""),
                _tenants.AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "limits": { "rateLimit": {{5000 + i}} } }""")
            );
            Assert.Equal(200, await _tenants.CallAsync("acme", $""" "client_id":"c{i}" """));
            Assert.Equal(HttpStatusCode.Conflict, (await _tenants.TryListAsync("globex", $"c{i}")).Status);
        }
    }

    [Fact]
    public async Task Without_its_claim_a_listing_is_worth_nothing()
    {
        await _tenants.ListAsync("acme", "web");
        Assert.Equal(200, await _tenants.CallAsync("acme", """ "client_id":"web" """));
        var acme = _tenants.Server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var claims = _tenants.Server.Services.GetRequiredService<ClientClaims>();
        await claims.ReleaseAsync(acme.Id, acme.Generation, acme.Version, await claims.CountAsync(acme.Id), _tenants.Pool.Url, "web");
        _tenants.Time.Advance(ClientCache.Freshness);
        Assert.Equal(403, await _tenants.CallAsync("acme", """ "client_id":"web" """));
    }

    private async Task AssertRefusedAsync(string tenant, string patch, string query = "")
    {
        var before = await _tenants.AdminAsync(HttpMethod.Get, "/" + tenant);
        using var response = await _tenants.Server.AdminAsync(HttpMethod.Patch, $"/{tenant}{query}", patch);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(before, await _tenants.AdminAsync(HttpMethod.Get, "/" + tenant));
    }
}
