using Adcp_TenantServer.Handlers;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Tests;

/// <summary>Each handler by itself: what your own are tested like.</summary>
public sealed class HandlerTests(SellerServer server)
{
    private readonly MediaBuys _mediaBuys = new(TimeProvider.System);

    [Fact]
    public async Task Get_products_lists_what_the_tenants_platform_sells()
    {
        using var call = await server.BeginCallAsync("globex");

        var answer = await new Products().GetAsync(new(), call.Context, TestContext.Current.CancellationToken);

        var product = Assert.Single(answer.Products);
        Assert.Equal("sponsored_products", product.ProductId);
        Assert.Equal(0.80m, Assert.Single(product.PricingOptions).FixedPrice);
    }

    [Fact]
    public async Task Create_media_buy_keeps_what_was_bought()
    {
        using var call = await server.BeginCallAsync("acme");

        var answer = await _mediaBuys.CreateAsync(Buys.Request(budget: 250), call.Context, TestContext.Current.CancellationToken);

        Assert.StartsWith("mb_", answer.MediaBuyId, StringComparison.Ordinal);
        Assert.Equal(MediaBuyStatus.PendingCreatives, answer.Status);
        Assert.Equal(250, Assert.Single(answer.Packages).Budget);
    }

    [Fact]
    public async Task Create_media_buy_refuses_a_product_that_another_tenant_sells()
    {
        using var call = await server.BeginCallAsync("acme");

        var refusal = await Assert.ThrowsAsync<AdcpException>(() =>
            _mediaBuys.CreateAsync(Buys.Request("sponsored_products", "cpc_usd"), call.Context, TestContext.Current.CancellationToken));

        Assert.Equal(AdcpError.ProductNotFound, refusal.Error);
        Assert.Equal("/packages/0/product_id", refusal.Field);
    }

    [Fact]
    public async Task Get_media_buys_lists_the_buyers_own()
    {
        var buyer = Guid.NewGuid().ToString();
        var made = await CreateAsync(buyer);
        await CreateAsync("another buyer");
        using var call = await server.BeginCallAsync("acme", buyer);

        var answer = await _mediaBuys.GetAsync(new(), call.Context, TestContext.Current.CancellationToken);

        Assert.Equal(made.MediaBuyId, Assert.Single(answer.MediaBuys).MediaBuyId);
    }

    private async Task<CreateMediaBuyResponse> CreateAsync(string buyer)
    {
        using var call = await server.BeginCallAsync("acme", buyer);
        return await _mediaBuys.CreateAsync(Buys.Request(), call.Context, TestContext.Current.CancellationToken);
    }
}
