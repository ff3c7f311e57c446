using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer;

/// <summary>A publisher: sells space on its own site.</summary>
public sealed class Publisher(PublisherSettings settings) : ITenantPlatform<Publisher>, ISeller
{
    public IReadOnlyList<Product> Products { get; } = SampleInventory.ForPublisher(settings.Domain, settings.CpmFloor);

    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<Products>().AddHandlers<MediaBuys>();

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
