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
    private static readonly TenantLimits DefaultLimits = new();

    private readonly HashSet<string> _anonymousTools = new(options.Value.AnonymousTools, StringComparer.Ordinal);

    /// <summary>Whether a caller has shown enough to call a tool.</summary>
    public bool MayCall(TenantModel tenant, CallerIdentity caller, string? tool) =>
        !caller.IsAnonymous || IsOpen(tenant) || (tool is not null && IsAnonymous(tool));

    /// <summary>Whether a tool may be called without credentials.</summary>
    public bool IsAnonymous(string tool) => _anonymousTools.Contains(tool);

    /// <summary>Whether a tenant asks for no proof, so that anonymous callers have all rights.</summary>
    public static bool IsOpen(TenantModel tenant) => tenant.Config.Authentication is { Kind: TenantAuthenticationKind.None };

    /// <summary>
    /// What one caller may have of a tenant's limit: half, rounded up, so that nobody can take all of it; all of it where all callers are
    /// the same.
    /// </summary>
    public static long ShareOf(TenantModel tenant, long limit) => IsOpen(tenant) ? limit : (limit / 2) + (limit % 2);

    /// <summary>What the documents that a caller writes may take up. What the server itself writes counts for the tenant alone.</summary>
    public static DocumentBudget DocumentBudget(TenantModel tenant, CallerIdentity caller)
    {
        var limits = tenant.Config.Limits ?? DefaultLimits;
        var budget = ReferenceEquals(caller, CallerIdentity.System)
            ? State.DocumentBudget.OfTenant(limits.MaxDocumentBytes)
            : new(limits.MaxDocumentBytes, ShareOf(tenant, limits.MaxDocumentBytes), TenantKeyspace.Hash(caller.Value));
        return budget with { Document = limits.MaxDocumentSize };
    }

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
