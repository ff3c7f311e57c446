using System.Collections.Concurrent;
using System.Security.Claims;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;

namespace Tenancy.Mcp.Requests;

/// <summary>What callers see, and may do beside calling tools, who show no credentials.</summary>
internal sealed class AnonymousAccess(CallerRights rights)
{
    private readonly ConcurrentDictionary<PlatformKind, bool> _kinds = [];

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) => rights.MayCall(tenant, caller, tool);

    /// <summary>
    /// Whether a caller has shown enough to connect and to list tools. Where the tenant has an identity provider, a caller without
    /// credentials may not, unless the tenant says so (<c>challengeAtCall</c>): the refusal makes its client begin OAuth. Elsewhere a
    /// client would give up at a refusal, so that it may connect where at least one tool needs no credentials.
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
        CallerRights.IsStranger(tenant, caller)
            ? tool is not null
                && !AsksForScope(tool)
                && (tenant.Config.Authentication is { ChallengeAtCall: true } || rights.IsAnonymous(tool.ProtocolTool.Name))
            : ToolScopes.Missing(tenant, user, tool).Count == 0;

    private bool HasOpenTool(PlatformKind kind) =>
        kind.Tools.Any(tool => !AsksForScope(tool) && rights.IsAnonymous(tool.ProtocolTool.Name));

    private static bool AsksForScope(McpServerTool tool) => tool is TenantTool { RequiredScopes.Count: > 0 };
}
