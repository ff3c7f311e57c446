using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer;

/// <summary>A retailer: sells sponsored places in its shop, and reviews creatives first.</summary>
public sealed class Retailer(RetailerSettings settings) : ITenantPlatform<Retailer>, ISeller
{
    public SellerProfile Profile =>
        field ??= new()
        {
            PublisherDomains = [settings.Domain],
            Channels = ["retail_media"],
            PricingModels = ["cpc"],
            Specialisms = ["sales-non-guaranteed"],
            AccountScope = settings.AccountScope,
            AccountOpening = AccountOpening.OnFirstUse,

            // Nothing here reaches an ad server. Where yours does, look at ToolContext.IsSandbox first.
            Sandbox = true,
            TestScenarios = TestController.Scenarios,
        };

    public IReadOnlyList<Product> Products => field ??= SampleInventory.ForRetailer(settings.Domain, settings.ClickPrice);

    public IReadOnlyList<CreativeFormat> Formats { get; } = SampleFormats.ForRetailer;

    public IReadOnlyList<string> Shelves { get; } = settings.Shelves;

    public CreativeStatus StatusOfNewCreatives => CreativeStatus.PendingReview;

    public static void Define(IPlatformBuilder platform) => platform.AddHandlersFromAssembly();

    public static Task<Retailer> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Retailer(tenant.GetSettings<RetailerSettings>()));
}

/// <summary>The <c>settings</c> of a tenant whose platform is <c>retailer</c>.</summary>
public sealed record RetailerSettings
{
    // What one account of a buyer covers: operator_brand, operator, brand or agent.
    public AccountScope AccountScope { get; init; }

    public string Domain { get; init; } = "retailer.example";

    public decimal ClickPrice { get; init; } = 0.80m;

    public IReadOnlyList<string> Shelves { get; init; } = ["search", "checkout"];
}
