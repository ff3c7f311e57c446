using Microsoft.Extensions.Caching.Hybrid;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Makes the context of a call.</summary>
internal sealed class ToolContextFactory(RedisConnection redis, HybridCache cache)
{
    /// <summary>What the documents that a caller writes may take up. What the server itself writes counts for the tenant alone.</summary>
    public static DocumentBudget DocumentBudget(TenantModel tenant, CallerIdentity caller)
    {
        var limits = tenant.Limits;
        var budget = ReferenceEquals(caller, CallerIdentity.System)
            ? State.DocumentBudget.OfTenant(limits.MaxDocumentBytes)
            : new(limits.MaxDocumentBytes, CallerRights.ShareOf(tenant, limits.MaxDocumentBytes), TenantKeyspace.Hash(caller.Value));
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
    /// <param name="isSandbox">Whether the account is one for tests.</param>
    public ToolContext Create(
        TenantModel tenant,
        CallerIdentity caller,
        IUnitOfWork unit,
        string? accountId,
        IdempotencyLease? lease = null,
        ReadableAccounts? readable = null,
        bool isSandbox = false
    ) => new(tenant, tenant.Platform!, caller, new(OwnAccount(tenant, caller), accountId, readable, isSandbox), unit, lease, redis, cache);

    private static string? OwnAccount(TenantModel tenant, CallerIdentity caller) =>
        CallerRights.IsStranger(tenant, caller) ? null : caller.Value;
}
