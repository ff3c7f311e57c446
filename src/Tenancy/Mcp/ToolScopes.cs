using System.Security.Claims;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>What a tool asks of its callers beyond being known.</summary>
internal static class ToolScopes
{
    /// <summary>The scopes that a tool asks for and the caller lacks; all where no user is given.</summary>
    public static IReadOnlyList<string> Missing(TenantModel tenant, ClaimsPrincipal? user, McpServerTool? tool) =>
        tool is TenantTool { RequiredScopes: { Count: > 0 } scopes } && !CallerRights.IsOpen(tenant)
            ? [.. scopes.Where(scope => user is null || !CallerScopes.Has(user, scope))]
            : [];
}
