using System.Net;
using Adcp_TenantServer.Handlers;
using Tenancy.Configuration;

namespace Adcp_TenantServer.Tests;

/// <summary>The handler by itself, and the whole server.</summary>
public sealed class ProductsTests(SellerServer server)
{
    [Theory]
    [InlineData("acme", 4.50)]
    [InlineData("globex", 6.00)]
    public async Task A_tenant_has_its_own_price(string tenant, decimal price)
    {
        using var call = await server.BeginCallAsync(tenant);

        var answer = await server.Create<Products>().GetAsync(new(), call.Context, TestContext.Current.CancellationToken);

        Assert.Equal(price, Assert.Single(Assert.Single(answer.Products).PricingOptions).FixedPrice);
    }

    [Fact]
    public async Task Each_tenant_offers_its_own_products_by_every_way_to_name_it()
    {
        foreach (var way in server.Ways)
        {
            var acme = await server.CallAsync("acme", "get_products", new { brief = "Readers of news" }, way);
            var globex = await server.CallAsync("globex", "get_products", new { brief = "Readers of news" }, way);

            Assert.Equal("news.acme.example", (string?)acme["products"]![0]!["publisher_properties"]![0]!["publisher_domain"]);
            Assert.Equal("shop.globex.example", (string?)globex["products"]![0]!["publisher_properties"]![0]!["publisher_domain"]);
        }
    }
#if (!AuthIsNone && !NamedByTokenOnly)

    [Fact]
    public async Task A_token_of_acme_is_refused_at_globex()
    {
        using var response = await server.SendAsync("globex", "acme.dev-buyer", "get_products", new { });

        // Where tokens name the tenant too, the request contradicts itself; else the token is simply not one of globex.
        var expected = server.Ways.Contains(TenantIdentification.Token) ? HttpStatusCode.BadRequest : HttpStatusCode.Unauthorized;
        Assert.Equal(expected, response.StatusCode);
    }
#endif
}
