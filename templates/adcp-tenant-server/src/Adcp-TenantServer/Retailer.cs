using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer;

/// <summary>A retailer: sells sponsored places in its shop.</summary>
public sealed class Retailer(RetailerSettings settings) : ITenantPlatform<Retailer>, ISeller
{
    public IReadOnlyList<Product> Products { get; } = SampleInventory.ForRetailer(settings.Domain, settings.ClickPrice);

    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<Products>().AddHandlers<MediaBuys>();

    public static Task<Retailer> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Retailer(tenant.GetSettings<RetailerSettings>()));
}

/// <summary>The <c>settings</c> of a tenant whose platform is <c>retailer</c>.</summary>
public sealed record RetailerSettings
{
    public string Domain { get; init; } = "retailer.example";

    public decimal ClickPrice { get; init; } = 0.80m;
}
