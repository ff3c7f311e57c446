using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Of an issuer that names no audience a tenant takes the tokens of the clients that it lists.</summary>
/// <remarks>The tests of one server show each tenant 32 bad tokens at most. An address may show it 60 a minute.</remarks>
[Tier(Tier.Server)]
public sealed class ListedClientTests(ListedClientTests.Listed shared) : IClassFixture<ListedClientTests.Listed>
{
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
    // Clerk's OAuth applications, Cognito without a resource, Hydra's default and OpenAuth, in this order.
    [InlineData(""" "client_id":"web","jti":"oat_1","scope":"profile" """, 200)]
    [InlineData(""" "client_id":"web","token_use":"access","username":"ann","scope":"read" """, 200)]
    [InlineData(""" "client_id":"web","aud":[],"scp":["read"],"ext":{} """, 200)]
    [InlineData(""" "aud":"web","mode":"access","type":"user","properties":{"id":"1"} """, 200)]
    // The sessions of WorkOS name neither an audience nor a client, and those of Clerk a page for the client.
    [InlineData(""" "act":{"sub":"admin@x"},"org_id":"org_01","role":"member","roles":["member"],"sid":"session_01" """, 401)]
    [InlineData(""" "azp":"https://x.example","sid":"sess_1","fva":[7,-1],"v":2 """, 403)]
    [InlineData(""" "aud":"web" """, 401)]
    [InlineData(""" "aud":"web","azp":"web" """, 401)]
    [InlineData(""" "client_id":"web","token_use":"id" """, 401)]
    [InlineData(""" "client_id":"web","aud":"https://elsewhere.example" """, 401)]
    [InlineData(""" "client_id":"web","aud":["web","https://elsewhere.example"],"scope":"read" """, 401)]
    [InlineData(""" "client_id":"web","aud":[""] """, 401)]
    [InlineData(""" "client_id":"other","aud":"web","scope":"read" """, 401)]
    [InlineData(""" "client_id":7 """, 401)]
    [InlineData(""" "scope":"read" """, 401)]
    // A token that names another client anywhere is not of the one that is its audience.
    [InlineData(""" "aud":"web","appid":"evil","idtyp":"app" """, 401)]
    [InlineData(""" "aud":"web","cid":"evil","scope":"read" """, 401)]
    [InlineData(""" "aud":"other","appid":"evil","scope":"read" """, 401)]
    [InlineData(""" "aud":["web"],"scope":"read" """, 200)]
    [InlineData(""" "aud":"https://acme.localhost/mcp","scope":"read" """, 403)]
    public async Task A_listed_client_stands_for_the_audience_that_a_token_does_not_name(string claims, int status)
    {
        Assert.Equal(status, await shared.Tenants.CallAsync("acme", claims));
        Assert.NotEqual(200, await shared.Tenants.CallAsync("globex", claims));
    }

    [Theory]
    [InlineData(""" "cid":"api" """, 200)]
    [InlineData(""" "aud":"api","mode":"access" """, 200)]
    [InlineData(""" "azp":"A","aud":"api","gty":"client-credentials" """, 401)]
    [InlineData(""" "azp":"B","aud":"api","gty":"client-credentials" """, 401)]
    [InlineData(""" "client_id":"evil","aud":"api","scope":"read" """, 401)]
    [InlineData(""" "appid":"evil","aud":"api","scope":"read" """, 401)]
    [InlineData(""" "azp":"web","aud":"https://acme.localhost/mcp","scope":"read" """, 401)]
    public async Task A_client_that_is_named_elsewhere_than_the_tenant_looks_is_not_the_audience(string claims, int status) =>
        Assert.Equal(status, await shared.Tenants.CallAsync("okta", claims, shared.Tenants.Other));

    [Theory]
    [InlineData("acme", """ "aud":"https://acme.localhost/mcp","scope":"read" """, "client", "names no client")]
    [InlineData("acme", """ "appid":"A","aud":"other","scope":"read" """, "audience", "set clientClaim")]
    public async Task Nor_is_an_admin_led_to_list_what_is_no_client(string tenant, string claims, string cause, string says)
    {
        var explained = await shared.Tenants.ExplainAsync(tenant, claims);
        Assert.Equal(cause, explained["cause"]!.ToString());
        Assert.Contains(says, explained["reason"]!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>
    /// One server, where <c>acme</c> lists the client <c>web</c>, <c>globex</c> none, and <c>okta</c> the client <c>api</c>.
    /// </summary>
    public sealed class Listed : IAsyncLifetime
    {
        internal TenantsOfOnePool Tenants { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Tenants.InitializeAsync();
            await Tenants.ListAsync("acme", "web");
            await Tenants.RegisterAsync(
                "okta",
                Tenants.Other,
                """ "requireClients":true,"audienceFromClients":true,"clientClaim":"cid" """
            );
            await Tenants.ListAsync("okta", "api");
        }

        public ValueTask DisposeAsync() => Tenants.DisposeAsync();
    }
}
