using System.ComponentModel;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace Tenancy.Tests.Docs.Snippets;

// The types of these files stand in docs/customise.md, so that what the page shows compiles and runs.
internal sealed class Shop(ShopSettings settings) : ITenantPlatform<Shop>, IDisposable
{
    public string Greeting => settings.Greeting;

    // Once for all tenants of this platform: what they can do.
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<ShopTools>().AddHandlers<NoteTools>();

    // For each tenant. What is thrown here disables that tenant, with the message as the reason.
    public static Task<Shop> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new Shop(tenant.GetSettings<ShopSettings>()));

    // After the last call that uses it. IAsyncDisposable works as well.
    public void Dispose() { }
}

internal sealed record ShopSettings
{
    public string Greeting { get; init; } = "Hello";
}

internal sealed class ShopTools(TimeProvider time)
{
    [McpServerTool(Name = "greet")]
    [Description("Greets the caller in the shop's own words.")]
    public string Greet(ToolContext context) => $"{context.Platform<Shop>().Greeting}, {context.Caller}, at {time.GetUtcNow():t}";

    [McpServerTool(Name = "close_shop")]
    [RequireScope("manage")]
    public static string Close(ToolContext context) => $"{context.TenantName} is closed.";

    [McpServerPrompt(Name = "welcome")]
    public static string Welcome(ToolContext context) => $"Welcome the customer of {context.TenantName}.";

    [McpServerResource(UriTemplate = "shop://sign", Name = "sign")]
    public static string Sign(ToolContext context) => context.TenantName;
}
