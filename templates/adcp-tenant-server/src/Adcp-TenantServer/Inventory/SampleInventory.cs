using Tenancy.Adcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>Sample products: what you replace first with those of your ad server.</summary>
internal static class SampleInventory
{
    public static IReadOnlyList<Product> ForPublisher(string domain, decimal cpmFloor) =>
        [
            Create(
                domain,
                "homepage_display",
                "Homepage display",
                "The box beside the headlines of the homepage.",
                "display",
                SampleFormats.Display,
                Cpm(cpmFloor * 2)
            ),
            Create(
                domain,
                "run_of_site_display",
                "Run of site display",
                "Boxes on all article pages.",
                "display",
                SampleFormats.Display,
                Cpm(cpmFloor)
            ),
        ];

    public static IReadOnlyList<Product> ForRetailer(string domain, decimal clickPrice) =>
        [
            Create(
                domain,
                "sponsored_products",
                "Sponsored products",
                "Places at the top of search results in the shop.",
                "retail_media",
                SampleFormats.Native,
                Cpc(clickPrice)
            ),
        ];

    private static Product Create(
        string domain,
        string id,
        string name,
        string description,
        string channel,
        FormatId format,
        PricingOption price
    ) =>
        new()
        {
            ProductId = id,
            Name = name,
            Description = description,
            PublisherProperties = [new() { PublisherDomain = domain }],
            Channels = [channel],
            FormatIds = [format],
            DeliveryType = DeliveryType.NonGuaranteed,
            PricingOptions = [price],
            ReportingCapabilities = new(),
        };

    private static PricingOption Cpm(decimal price) =>
        new()
        {
            PricingOptionId = "cpm_usd",
            PricingModel = "cpm",
            Currency = "USD",
            FixedPrice = price,
        };

    private static PricingOption Cpc(decimal price) =>
        new()
        {
            PricingOptionId = "cpc_usd",
            PricingModel = "cpc",
            Currency = "USD",
            FixedPrice = price,
        };
}
