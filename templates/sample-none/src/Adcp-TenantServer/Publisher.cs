using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer;

/// <summary>A publisher: what a tenant of it sells follows from the tenant's settings.</summary>
public sealed class Publisher(PublisherSettings settings) : ITenantPlatform<Publisher>, ISeller
{
    public SellerProfile Profile { get; } =
        new()
        {
            PublisherDomains = [settings.Domain],
            Channels = ["display"],
            PricingModels = ["cpm"],
        };

    // What you replace first.
    public IReadOnlyList<Product> Products { get; } =
    [
        new()
        {
            ProductId = "homepage_display",
            Name = "Homepage display",
            Description = "The box beside the headlines of the homepage.",
            PublisherProperties = [new() { PublisherDomain = settings.Domain }],
            Channels = ["display"],
            FormatIds = [new() { AgentUrl = "https://creative.adcontextprotocol.org", Id = "display_300x250" }],
            DeliveryType = DeliveryType.NonGuaranteed,
            PricingOptions =
            [
                new()
                {
                    PricingOptionId = "cpm_usd",
                    PricingModel = "cpm",
                    Currency = "USD",
                    FixedPrice = settings.CpmFloor,
                },
            ],
            ReportingCapabilities = new(),
        },
    ];

    // All handlers of this project.
    public static void Define(IPlatformBuilder platform) => platform.AddHandlersFromAssembly();

    // Runs once per tenant, when it is registered. What is thrown here disables that tenant, with the message as the reason.
    public static Task<Publisher> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Publisher(tenant.GetSettings<PublisherSettings>()));
}

/// <summary>The <c>settings</c> of a tenant whose platform is <c>publisher</c>.</summary>
public sealed record PublisherSettings
{
    public string Domain { get; init; } = "publisher.example";

    public decimal CpmFloor { get; init; } = 4.50m;
}
