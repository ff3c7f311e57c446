using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Calls;

/// <summary>Makes the context of a call.</summary>
internal sealed class ToolContextFactory(RedisConnection redis, HybridCache cache, IOptions<TenancyOptions> options)
{
    private readonly HashSet<string> _anonymousTools = new(options.Value.AnonymousTools, StringComparer.Ordinal);

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) =>
        !caller.IsAnonymous || IsOpen(tenant) || (tool is not null && _anonymousTools.Contains(tool));

    /// <summary>Whether a tenant asks for no proof, so that anonymous callers have all rights.</summary>
    public static bool IsOpen(TenantModel tenant) => tenant.Config.Authentication is { Kind: TenantAuthenticationKind.None };

    /// <summary>Makes a context whose caller is its own account; a caller without credentials has none.</summary>
    public ToolContext Create(TenantModel tenant, CallerIdentity caller) => Create(tenant, caller, OwnAccount(tenant, caller));

    /// <param name="tenant">The tenant.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="accountId">For which account.</param>
    /// <param name="operationId">What names the work at every try of it; a new one where it is tried once.</param>
    /// <param name="readable">The accounts that are read where <paramref name="accountId"/> is null; null for none.</param>
    public ToolContext Create(
        TenantModel tenant,
        CallerIdentity caller,
        string? accountId,
        string? operationId = null,
        ReadableAccounts? readable = null
    ) =>
        new(
            tenant,
            McpPlatformInstance.Of(tenant),
            caller,
            new(OwnAccount(tenant, caller), accountId, readable),
            operationId,
            redis,
            cache
        );

    private static string? OwnAccount(TenantModel tenant, CallerIdentity caller) =>
        caller.IsAnonymous && !IsOpen(tenant) ? null : caller.Value;
}
