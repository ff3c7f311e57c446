using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;

namespace ClientCertificates;

/// <summary>What each tenant is: built from its settings.</summary>
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

    /// <summary>Gets the fingerprints of the certificates with which this tenant may be called.</summary>
    public IReadOnlyList<string> Clients { get; init; } = [];

    public static ShopSettings Of(TenantModel tenant) =>
        tenant.Config.Settings?.Deserialize<ShopSettings>(JsonSerializerOptions.Web) ?? new();
}

internal sealed class ShopTools
{
    [McpServerTool(Name = "greet"), Description("Greets the caller in the tenant's own words.")]
    public static string Greet(ToolContext context) => $"{context.Platform<Shop>().Greeting}, {context.Caller}";
}
