using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer;

/// <summary>A publisher: sells space on its own site, and takes creatives as they come.</summary>
public sealed class Publisher(PublisherSettings settings) : ITenantPlatform<Publisher>, ISeller
{
    public SellerProfile Profile =>
        field ??= new()
        {
            PublisherDomains = [settings.Domain],
            Channels = ["display"],
            PricingModels = ["cpm"],
            Specialisms = ["sales-non-guaranteed"],
            AccountScope = settings.AccountScope,
            AccountOpening = AccountOpening.OnFirstUse,

            // Nothing here reaches an ad server. Where yours does, look at ToolContext.IsSandbox first.
            Sandbox = true,
            TestScenarios = TestController.Scenarios,
        };

    public IReadOnlyList<Product> Products => field ??= SampleInventory.ForPublisher(settings.Domain, settings.CpmFloor);

    public IReadOnlyList<CreativeFormat> Formats { get; } = SampleFormats.ForPublisher;

    public CreativeStatus StatusOfNewCreatives => CreativeStatus.Approved;

    // All handlers of this project, but those that [HandlersOf] keeps to another platform.
    public static void Define(IPlatformBuilder platform) => platform.AddHandlersFromAssembly();

    // Runs once per tenant, when it is registered. What is thrown here disables that tenant, with the message as the reason.
    public static Task<Publisher> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Publisher(tenant.GetSettings<PublisherSettings>()));
}

/// <summary>The <c>settings</c> of a tenant whose platform is <c>publisher</c>.</summary>
public sealed record PublisherSettings
{
    // What one account of a buyer covers: operator_brand, operator, brand or agent.
    public AccountScope AccountScope { get; init; }

    public string Domain { get; init; } = "publisher.example";

    public decimal CpmFloor { get; init; } = 4.50m;
}
