using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>Makes a server of the MCP SDK's the tenant's: its name, and what its platform has.</summary>
internal static class TenantServer
{
    // What comes after the plus is the commit that was built.
    private static readonly string Version = typeof(TenantServer)
        .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0]
        ?? "0.0.0";

    /// <summary>What the server of a tenant says that it is.</summary>
    public static Implementation Describe(string name) => new() { Name = name, Version = Version };

    /// <summary>The name of a tenant's server.</summary>
    public static string NameOf(TenantModel tenant) => tenant.Config.Name ?? tenant.Id.Value;

    /// <summary>The MCP SDK calls this for each new session, and for each request that has none.</summary>
    public static async Task ConfigureAsync(HttpContext context, McpServerOptions options, CancellationToken cancellationToken)
    {
        var tenant = context.Features.Get<ITenantFeature>()?.Tenant
            ?? throw new InvalidOperationException(
                "An MCP endpoint has no tenant: map it with MapTenantMcp, and call UseTenancy before it."
            );
        var kind = McpPlatformInstance.Of(tenant).Kind;
        options.ServerInfo = Describe(NameOf(tenant));
        options.ToolCollection = kind.Tools;
        options.PromptCollection = kind.Prompts;
        options.ResourceCollection = kind.Resources;

        // The new session's id stands in the answer already. It is recorded before anybody can use it; one that comes back is there
        // already.
        if (
            context.Response.Headers[McpRequest.SessionIdHeader] is [{ Length: > 0 } sessionId]
            && !context.Request.Headers.ContainsKey(McpRequest.SessionIdHeader)
        )
        {
            await context.RequestServices.GetRequiredService<SessionGuard>().CreateAsync(context, tenant, sessionId);
        }
    }
}
