namespace Adcp_TenantServer.Tests;

/// <summary>The server as a buyer meets it.</summary>
public sealed class ServerTests(SellerServer server)
{
    [Fact]
    public async Task Each_tenant_offers_its_own_products_by_every_way_to_name_it()
    {
        foreach (var way in server.Ways)
        {
            var acme = await server.CallAsync("acme", "get_products", new { brief = "News readers" }, way);
            var globex = await server.CallAsync("globex", "get_products", new { brief = "Shoppers" }, way);

            Assert.Equal("homepage_display", (string?)acme["products"]![0]!["product_id"]);
            Assert.Equal("sponsored_products", (string?)globex["products"]![0]!["product_id"]);
        }
    }

    [Fact]
    public async Task A_tenant_has_the_tools_of_its_platform()
    {
        var globex = await server.CallAsync("globex", "list_shelves", new { limit = 1 });
        using var acme = await server.SendAsync("acme", "acme.dev-buyer", "list_shelves", new { });
        var answer = await acme.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("search", (string?)Assert.Single(globex["shelves"]!.AsArray()));
        Assert.Contains("Unknown tool", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_buyer_finds_the_media_buy_it_made()
    {
        await server.OpenAccountAsync("acme");
        var made = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme());
        var found = await server.CallAsync("acme", "get_media_buys", new { media_buy_ids = new[] { (string?)made["media_buy_id"] } });

        var buy = Assert.Single(found["media_buys"]!.AsArray())!;
        Assert.Equal((string?)made["media_buy_id"], (string?)buy["media_buy_id"]);
        Assert.Equal(5000, (decimal?)buy["total_budget"]);
    }

    [Fact]
    public async Task A_buyer_has_no_account_that_it_did_not_open()
    {
        using var response = await server.SendAsync("globex", "globex.dev-buyer", "create_media_buy", Buys.OfAcme("never-opened.example"));
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("ACCOUNT_NOT_FOUND", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get_media_buys", "media_buys")]
    [InlineData("get_media_buy_delivery", "media_buy_deliveries")]
    public async Task A_media_buy_that_is_named_twice_is_answered_once_and_too_many_are_refused(string tool, string answers)
    {
        await server.OpenAccountAsync("acme");
        var made = (string?)(await server.CallAsync("acme", "create_media_buy", Buys.OfAcme()))["media_buy_id"];

        var found = await server.CallAsync("acme", tool, new { media_buy_ids = Enumerable.Repeat(made, 100) });
        using var refused = await server.SendAsync("acme", "acme.dev-buyer", tool, new { media_buy_ids = Enumerable.Repeat(made, 101) });

        Assert.Equal(made, (string?)Assert.Single(found[answers]!.AsArray())!["media_buy_id"]);
        Assert.Contains(
            "media_buy_ids must have 100 at most",
            await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }
}
