using Microsoft.Extensions.Logging;
using Tenancy.Audit;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// Opens a tenant for work outside a tool call, such as a nightly job. Each opening is logged, and in the audit, with its reason.
/// </summary>
public sealed class TenantScopes
{
    private const int MaxReason = 500;
    private readonly TenantRegistry _registry;
    private readonly ToolContextFactory _contexts;
    private readonly AuditQueue _audit;
    private readonly ILogger<TenantScopes> _logger;

    internal TenantScopes(TenantRegistry registry, ToolContextFactory contexts, AuditQueue audit, ILogger<TenantScopes> logger) =>
        (_registry, _contexts, _audit, _logger) = (registry, contexts, audit, logger);

    /// <summary>Opens a tenant.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="reason">What for; it is logged, and stands in the audit: 500 characters of it.</param>
    /// <param name="accountId">
    /// The account whose documents are worked on, or the identity of a caller (<see cref="CallerIdentity.Value"/>) for those of the caller
    /// itself; null for none.
    /// </param>
    /// <exception cref="TenantNotFoundException">There is no such tenant, or it is not served now.</exception>
    public TenantScope Open(TenantId tenantId, string reason, string? accountId = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        var tenant = _registry.Get(tenantId.Value);
        if (tenant is not { IsServing: true } || !tenant.Platform!.TryHold())
        {
            throw new TenantNotFoundException(tenantId);
        }

        // It may be the identity of a caller, of which logs have the hash alone.
        _logger.TenantScopeOpened(tenantId.Value, accountId is null ? "none" : TenantKeyspace.Hash(accountId), reason);
        _audit.Add(
            AuditEntry.Of(AuditAction.ScopeOpened, tenantId.Value) with
            {
                Account = accountId,
                Reason = reason.Length > MaxReason ? reason[..MaxReason] : reason,
            }
        );
        var unit = new UnitOfWork(ToolContextFactory.DocumentBudget(tenant, CallerIdentity.System));
        return new(tenant, _contexts.Create(tenant, CallerIdentity.System, unit, accountId), unit);
    }
}
