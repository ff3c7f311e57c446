using System.Collections.Concurrent;
using System.Security.Claims;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;

namespace Tenancy.Mcp.Requests;

/// <summary>What callers see, and may do beside calling tools, who show no credentials.</summary>
internal sealed class AnonymousAccess(ToolContextFactory contexts)
{
    private readonly ConcurrentDictionary<PlatformKind, bool> _kinds = [];

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) => contexts.MayCall(tenant, caller, tool);

    /// <summary>
    /// Whether a caller has shown enough to connect and to list tools. A client that begins OAuth at a refusal is refused at once, unless
    /// the tenant wants it otherwise; for any other a refusal is the end, so that it may look where there is something for it.
    /// </summary>
    public bool MayConnect(TenantModel tenant, CallerIdentity caller) =>
        !caller.IsAnonymous
        || tenant.Config.Authentication switch
        {
            { Kind: TenantAuthenticationKind.None } => true,
            { Kind: TenantAuthenticationKind.Jwks, ChallengeAtCall: var isLate } => isLate,
            _ => _kinds.GetOrAdd(McpPlatformInstance.Of(tenant).Kind, HasOpenTool),
        };

    /// <summary>
    /// Whether a caller sees a tool in lists: one that it may call or, where it is asked for credentials at the call, may call with some.
    /// </summary>
    public bool Lists(TenantModel tenant, CallerIdentity caller, ClaimsPrincipal? user, McpServerTool? tool) =>
        caller.IsAnonymous && !ToolContextFactory.IsOpen(tenant)
            ? tool is not null
                && !AsksForScope(tool)
                && (tenant.Config.Authentication is { ChallengeAtCall: true } || contexts.IsAnonymous(tool.ProtocolTool.Name))
            : ToolScopes.Missing(tenant, user, tool).Count == 0;

    private bool HasOpenTool(PlatformKind kind) =>
        kind.Tools.Any(tool => !AsksForScope(tool) && contexts.IsAnonymous(tool.ProtocolTool.Name));

    private static bool AsksForScope(McpServerTool tool) => tool is TenantTool { RequiredScopes.Count: > 0 };
}
