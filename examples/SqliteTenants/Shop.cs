using System.ComponentModel;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace SqliteTenants;

/// <summary>What each tenant is: built from its row's settings.</summary>
internal sealed class Shop(ShopSettings settings) : ITenantPlatform<Shop>
{
    public string Greeting => settings.Greeting;

    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<ShopTools>();

    public static Task<Shop> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Shop(tenant.GetSettings<ShopSettings>()));
}

internal sealed record ShopSettings
{
    public string Greeting { get; init; } = "Hello";
}

internal sealed class ShopTools
{
    [McpServerTool(Name = "greet"), Description("Greets the caller in the tenant's own words.")]
    public static string Greet(ToolContext context) => context.Platform<Shop>().Greeting;
}
