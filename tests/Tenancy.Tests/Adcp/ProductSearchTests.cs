using System.Text.Json;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>Which products fit a request: all of its filters count, and none is left out in silence.</summary>
public sealed class ProductSearchTests
{
    private static readonly Product Shared = Product("shared");
    private static readonly Product Sole = Product("sole") with { Exclusivity = "exclusive", EnforcedPolicies = ["no_tobacco", "kids"] };

    [Theory]
    [InlineData("""{"filters":{"exclusivity":"exclusive"}}""", "sole")]
    [InlineData("""{"filters":{"exclusivity":"none"}}""", "shared")]
    [InlineData("""{"filters":{"exclusivity":"category"}}""", "")]
    [InlineData("""{"filters":{"standard_formats_only":true}}""", "shared sole")]
    [InlineData("""{"required_policies":["kids"]}""", "sole")]
    [InlineData("""{"required_policies":["kids","other"]}""", "")]
    [InlineData("""{"filters":{"format_ids":[{"agent_url":"https://creative.adcontextprotocol.org/","id":"display"}]}}""", "shared sole")]
    [InlineData(
        """{"filters":{"format_ids":[{"agent_url":"https://creative.adcontextprotocol.org","id":"display","width":300,"height":250}]}}""",
        "shared sole"
    )]
    [InlineData(
        """{"filters":{"format_ids":[{"agent_url":"https://creative.adcontextprotocol.org","id":"display","width":970,"height":250}]}}""",
        ""
    )]
    public void A_product_fits_by_what_it_tells_of_itself(string request, string fits) => Assert.Equal(fits, Find(request));

    [Theory]
    [InlineData("""{"filters":{"countries":["DE"]}}""")]
    [InlineData("""{"filters":{"regions":["DE-BE"]}}""")]
    [InlineData("""{"filters":{"metros":[{"system":"nielsen_dma","code":"501"}]}}""")]
    [InlineData("""{"filters":{"postal_areas":[{"system":"us_zip","values":["10001"]}]}}""")]
    [InlineData("""{"filters":{"geo_proximity":[{"lat":1,"lng":1,"radius":{"value":1,"unit":"km"}}]}}""")]
    [InlineData("""{"filters":{"required_geo_targeting":[{"level":"country"}]}}""")]
    [InlineData("""{"filters":{"keywords":[{"keyword":"shoes"}]}}""")]
    [InlineData("""{"filters":{"signal_targeting":[{}]}}""")]
    [InlineData("""{"filters":{"required_axe_integrations":["https://axe.example"]}}""")]
    [InlineData("""{"filters":{"trusted_match":{}}}""")]
    [InlineData("""{"filters":{"required_performance_standards":[{}]}}""")]
    [InlineData("""{"filters":{"required_features":{"catalog_management":true}}}""")]
    [InlineData("""{"filters":{"min_exposures":1000}}""")]
    [InlineData("""{"catalog":{"type":"job"}}""")]
    public void What_no_product_tells_is_asked_of_the_seller_and_fits_nothing_where_it_does_not_know(string request)
    {
        Assert.Equal("", Find(request));
        Assert.Equal("sole", Find(request, (product, _) => product == Sole));
    }

    [Fact]
    public void The_seller_is_asked_for_nothing_else() =>
        Assert.Equal(
            "shared sole",
            Find("""{"filters":{"required_features":{"catalog_management":false}}}""", (_, _) => throw new InvalidOperationException())
        );

    private static string Find(string request, Func<Product, GetProductsRequest, bool>? fits = null) =>
        string.Join(
            ' ',
            ProductSearch
                .Find(JsonSerializer.Deserialize<GetProductsRequest>(request, AdcpJsonOptions.Default)!, [Shared, Sole], fits)
                .Select(product => product.ProductId)
        );

    private static Product Product(string id) =>
        new()
        {
            ProductId = id,
            Name = id,
            Description = id,
            PublisherProperties = [new() { PublisherDomain = "publisher.example" }],
            FormatIds =
            [
                new()
                {
                    AgentUrl = "https://creative.adcontextprotocol.org",
                    Id = "display",
                    Width = 300,
                    Height = 250,
                },
            ],
            DeliveryType = DeliveryType.NonGuaranteed,
            PricingOptions = [],
            ReportingCapabilities = new(),
        };
}
