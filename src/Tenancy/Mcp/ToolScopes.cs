using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>What a tool asks of its callers beyond being known.</summary>
internal static class ToolScopes
{
    /// <summary>The scopes that a tool asks for and the caller lacks.</summary>
    public static IEnumerable<string> Missing(TenantModel tenant, ClaimsPrincipal user, McpServerTool tool) =>
        tool is TenantTool { RequiredScopes: { Count: > 0 } scopes } && !ToolContextFactory.IsOpen(tenant) ? scopes.Where(scope => !CallerScopes.Has(user, scope)) : [];

    /// <summary>The same, for a tool by its name; none where there is no such tool.</summary>
    public static IEnumerable<string> Missing(TenantModel tenant, ClaimsPrincipal user, string? tool) =>
        tool is not null && ((McpPlatformInstance)tenant.Platform!).Kind.Tools.TryGetPrimitive(tool, out var found) ? Missing(tenant, user, found) : [];

    /// <summary>Leaves out of a list what the caller may not call.</summary>
    public static McpRequestHandler<ListToolsRequestParams, ListToolsResult> Filter(McpRequestHandler<ListToolsRequestParams, ListToolsResult> next, IHttpContextAccessor http) =>
        async (request, cancellationToken) =>
        {
            var result = await next(request, cancellationToken);
            if (http.HttpContext is { } context && context.Features.Get<ITenantFeature>() is { Tenant: var tenant } && ((McpPlatformInstance)tenant.Platform!).Kind.HasScopes)
            {
                result.Tools = [.. result.Tools.Where(tool => !Missing(tenant, context.User, tool.Name).Any())];
            }

            return result;
        };
}
