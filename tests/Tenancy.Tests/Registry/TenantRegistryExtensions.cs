using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Tests.Registry;

/// <summary>Changes of the registry by itself, as an admin would make them: without principals and what a tenant keeps.</summary>
internal static class TenantRegistryExtensions
{
    public static async Task<TenantStatus> RegisterAsync(
        this TenantRegistry registry,
        TenantConfig tenant,
        bool awaitFirstValidation = false,
        CancellationToken cancellationToken = default
    ) =>
        (
            await registry.Changes.RegisterAsync(
                new(tenant, TenantOrigin.Admin),
                awaitFirstValidation,
                TenantCreation.New,
                cancellationToken
            )
        ).Status;

    public static Task<TenantStatus> UpdateAsync(
        this TenantRegistry registry,
        TenantConfig tenant,
        CancellationToken cancellationToken = default
    ) => registry.Changes.UpdateAsync(TenantId.Parse(tenant.Id), _ => tenant, expectedVersion: null, force: false, cancellationToken);

    public static Task<bool> UnregisterAsync(this TenantRegistry registry, TenantId tenantId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return registry.Changes.RemoveAsync(tenantId, purge: false);
    }
}
