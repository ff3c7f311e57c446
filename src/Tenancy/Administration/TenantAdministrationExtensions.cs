using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Administration;

/// <summary>Changes of tenants that are made often.</summary>
public static class TenantAdministrationExtensions
{
    /// <summary>Registers a tenant without principals.</summary>
    /// <inheritdoc cref="ITenantAdministration.RegisterAsync"/>
    public static Task<RegisteredTenant> RegisterAsync(
        this ITenantAdministration administration,
        TenantConfig tenant,
        TenantRegistrationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(administration);
        return administration.RegisterAsync(new TenantRegistration { Tenant = tenant }, options, cancellationToken);
    }

    /// <summary>Suspends a tenant: it looks as if it did not exist, its streams end, and its sessions wait until it is resumed.</summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    public static Task<TenantStatus> SuspendAsync(
        this ITenantAdministration administration,
        TenantId tenantId,
        CancellationToken cancellationToken = default
    ) => SetAsync(administration, tenantId, TenantAdminStatus.Suspended, cancellationToken);

    /// <summary>Lifts the suspension of a tenant.</summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    public static Task<TenantStatus> ResumeAsync(
        this ITenantAdministration administration,
        TenantId tenantId,
        CancellationToken cancellationToken = default
    ) => SetAsync(administration, tenantId, TenantAdminStatus.Active, cancellationToken);

    private static Task<TenantStatus> SetAsync(
        ITenantAdministration administration,
        TenantId tenantId,
        TenantAdminStatus status,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(administration);
        return administration.UpdateAsync(tenantId, tenant => tenant with { Status = status }, options: null, cancellationToken);
    }
}
