using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Makes the context of a call.</summary>
internal sealed class ToolContextFactory(RedisConnection redis, HybridCache cache, IOptions<TenancyOptions> options)
{
    private readonly HashSet<string> _anonymousTools = new(options.Value.AnonymousTools, StringComparer.Ordinal);

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) =>
        !caller.IsAnonymous || IsOpen(tenant) || (tool is not null && _anonymousTools.Contains(tool));

    /// <summary>Whether a tenant asks for no proof, so that anonymous callers have all rights.</summary>
    public static bool IsOpen(TenantModel tenant) => tenant.Config.Authentication is { Kind: TenantAuthenticationKind.None };

    /// <summary>How many bytes the documents of a tenant may take up.</summary>
    public static long DocumentBudget(TenantModel tenant) => tenant.Config.Limits?.MaxDocumentBytes ?? TenantLimits.DefaultMaxDocumentBytes;

    /// <summary>Makes a context whose caller is its own account; a caller without credentials has none.</summary>
    public ToolContext Create(TenantModel tenant, CallerIdentity caller, IUnitOfWork unit) =>
        Create(tenant, caller, unit, OwnAccount(tenant, caller));

    /// <param name="tenant">The tenant.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="unit">Collects what is written.</param>
    /// <param name="accountId">For which account.</param>
    /// <param name="lease">The claim of the request, which names the work at every try of it; null where it is tried once.</param>
    /// <param name="readable">The accounts that are read where <paramref name="accountId"/> is null; null for none.</param>
    public ToolContext Create(
        TenantModel tenant,
        CallerIdentity caller,
        IUnitOfWork unit,
        string? accountId,
        IdempotencyLease? lease = null,
        ReadableAccounts? readable = null
    ) => new(tenant, tenant.Platform!, caller, new(OwnAccount(tenant, caller), accountId, readable), unit, lease, redis, cache);

    private static string? OwnAccount(TenantModel tenant, CallerIdentity caller) =>
        caller.IsAnonymous && !IsOpen(tenant) ? null : caller.Value;
}
