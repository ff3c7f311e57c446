using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>Makes an MCP server the tenant's: its name, and what its platform has.</summary>
internal static class TenantServer
{
    private static readonly string Version = typeof(TenantServer).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    public static void Configure(McpServerOptions options, PlatformKind kind, string name)
    {
        options.ServerInfo = new Implementation { Name = name, Version = Version };
        options.ToolCollection = kind.Tools;
        options.PromptCollection = kind.Prompts;
        options.ResourceCollection = kind.Resources;
    }

    /// <summary>What the tenant's server says that it is, as JSON. It is written once for a platform's instance, unless the name changes.</summary>
    public static JsonElement Describe(TenantModel tenant) => ((McpPlatformInstance)tenant.Platform!).Describe(NameOf(tenant), static name => JsonSerializer.SerializeToElement(
        new Implementation { Name = name, Version = Version }, McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Implementation))));

    private static string NameOf(TenantModel tenant) => tenant.Config.Name ?? tenant.Id.Value;

    /// <summary>The MCP SDK calls this for each new session, and for each request that has none.</summary>
    public static async Task ConfigureAsync(HttpContext context, McpServerOptions options, CancellationToken cancellationToken)
    {
        var tenant = context.Features.Get<ITenantFeature>()?.Tenant
            ?? throw new InvalidOperationException("An MCP endpoint has no tenant: map it with MapTenantMcp, and call UseTenancy before it.");
        Configure(options, ((McpPlatformInstance)tenant.Platform!).Kind, NameOf(tenant));

        // The new session's id stands in the answer already. It is recorded before anybody can use it; one that comes back is there already.
        if (context.Response.Headers[SessionGuard.HeaderName] is [{ Length: > 0 } sessionId] && !context.Request.Headers.ContainsKey(SessionGuard.HeaderName))
        {
            await context.RequestServices.GetRequiredService<SessionGuard>().CreateAsync(context, tenant, sessionId);
        }
    }
}
