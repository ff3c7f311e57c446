using System.Text.Json;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>Which products fit a request: all of its filters count, and none is left out in silence.</summary>
public sealed class ProductSearchTests
{
    private static readonly Product Shared = Product("shared");
    private static readonly DateTimeOffset Now = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Product Expired = Product("expired") with { ExpiresAt = Now };
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
    public void What_has_expired_is_in_no_list_and_cannot_be_refined()
    {
        Assert.Equal("shared sole", Find("{}"));
        var request = new GetProductsRequest { Refine = [new() { Scope = "product", ProductId = "expired" }] };
        Assert.Equal("unable", Assert.Single(ProductSearch.Refine(request, [Expired], Now)!).Status);
        Assert.Equal("applied", Assert.Single(ProductSearch.Refine(request, [Expired], Now.AddTicks(-1))!).Status);
    }

    [Fact]
    public void The_seller_is_asked_for_nothing_else() =>
        Assert.Equal(
            "shared sole",
            Find("""{"filters":{"required_features":{"catalog_management":false}}}""", (_, _) => throw new InvalidOperationException())
        );

    [Theory]
    [InlineData("Run the video at night", "video banner audio")]
    [InlineData("a BANNER; a banner; (video)", "banner video audio")]
    [InlineData("spoken word, audio", "audio banner video")]
    [InlineData("by an ad", "banner video audio")]
    [InlineData("", "banner video audio")]
    public void A_brief_puts_first_what_has_most_of_its_words_and_leaves_nothing_out(string brief, string ordered)
    {
        Product[] products =
        [
            Product("banner") with
            {
                Description = "A banner on the first page.",
            },
            Product("video") with
            {
                Channels = ["video"],
            },
            Product("audio") with
            {
                Description = "Spoken, with an audio banner.",
            },
        ];
        Assert.Equal(ordered, Join(ProductSearch.Find(new() { BuyingMode = "brief", Brief = brief }, products, Now)));
    }

    [Fact]
    public void A_long_brief_costs_no_more_memory_than_a_short_one()
    {
        var words = Enumerable.Range(0, 500).Select(number => $"word{number}");
        Assert.Equal(AllocatedBy("shared words"), AllocatedBy(string.Join(' ', words)));

        static long AllocatedBy(string brief)
        {
            GetProductsRequest request = new() { BuyingMode = "brief", Brief = brief };
            Product[] products = [Shared, Sole];
            _ = ProductSearch.Find(request, products, Now);
            var before = GC.GetAllocatedBytesForCurrentThread();
            _ = ProductSearch.Find(request, products, Now);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static string Join(IEnumerable<Product> products) => string.Join(' ', products.Select(product => product.ProductId));

    private static string Find(string request, Func<Product, GetProductsRequest, bool>? fits = null) =>
        string.Join(
            ' ',
            ProductSearch
                .Find(JsonSerializer.Deserialize<GetProductsRequest>(request, AdcpJsonOptions.Default)!, [Shared, Sole, Expired], Now, fits)
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
