using System.Security.Claims;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>What a tool asks of its callers beyond being known.</summary>
internal static class ToolScopes
{
    /// <summary>The scopes that a tool asks for and the caller lacks.</summary>
    public static IReadOnlyList<string> Missing(TenantModel tenant, ClaimsPrincipal user, McpServerTool tool) =>
        tool is TenantTool { RequiredScopes: { Count: > 0 } scopes } && !ToolContextFactory.IsOpen(tenant) ? [.. scopes.Where(scope => !CallerScopes.Has(user, scope))] : [];

    /// <summary>The same, for a tool by its name; none where there is no such tool.</summary>
    public static IReadOnlyList<string> Missing(TenantModel tenant, ClaimsPrincipal user, string? tool) =>
        tool is not null && ((McpPlatformInstance)tenant.Platform!).Kind.Tools.TryGetPrimitive(tool, out var found) ? Missing(tenant, user, found) : [];

    /// <summary>Leaves out of a list what the caller may not call.</summary>
    public static McpRequestHandler<ListToolsRequestParams, ListToolsResult> Filter(McpRequestHandler<ListToolsRequestParams, ListToolsResult> next) =>
        async (request, cancellationToken) =>
        {
            var result = await next(request, cancellationToken);
            if (CallOrigin.Current is { Tenant: var tenant } origin && ((McpPlatformInstance)tenant.Platform!).Kind.HasScopes)
            {
                result.Tools = [.. result.Tools.Where(tool => Missing(tenant, origin.User, tool.Name).Count == 0)];
            }

            return result;
        };
}
