using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Administration;

/// <summary>Changes tenants together with what they keep in the store.</summary>
internal sealed class TenantAdministration(
    TenantRegistry registry,
    TenantPurge purge,
    TenantPrincipals principals,
    TenantClients clients,
    IHostApplicationLifetime lifetime
) : ITenantAdministration
{
    public async Task<RegisteredTenant> RegisterAsync(
        TenantRegistration registration,
        TenantRegistrationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(registration);
        principals.ThrowIfInvalid(registration);
        options ??= new();

        // The store takes them together with the tenant: whoever fails to register an id adds no principal to it.
        var prepared = principals.Prepare(registration);
        var beginning = new TenantBeginning(registration.Tenant, options.Origin)
        {
            Owner = registration.Owner,
            Principals = Array.ConvertAll(prepared, principal => principal.Due),
        };
        var (status, isNew, adopted) = await registry
            .Changes.RegisterAsync(beginning, options.AwaitFirstValidation, options.Creation, cancellationToken)
            .ConfigureAwait(false);
        return isNew
            ? new(status, true, Array.ConvertAll(prepared, principal => principal.Issued)) { Adopted = adopted }
            : new(status, false, await FindPrincipalsAsync(registration).ConfigureAwait(false));
    }

    private Task<IReadOnlyList<IssuedPrincipal>> FindPrincipalsAsync(TenantRegistration registration)
    {
        var id = TenantId.Parse(registration.Tenant.Id);
        return principals.FindAsync(registry.Get(id) ?? throw new TenantNotFoundException(id), registration.Principals);
    }

    public Task<TenantStatus> UpdateAsync(
        TenantId tenantId,
        Func<TenantConfig, TenantConfig> change,
        TenantUpdateOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(change);
        return registry.Changes.UpdateAsync(tenantId, change, options?.ExpectedVersion, options?.Force ?? false, cancellationToken);
    }

    public Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
        registry.Checks.RecheckAsync(tenantId, cancellationToken);

    public Task<bool> UnregisterAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return registry.Changes.RemoveAsync(tenantId, purge: false);
    }

    public async Task<bool> DeleteAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var existed = await registry.Changes.RemoveAsync(tenantId, purge: true).ConfigureAwait(false);
        return await purge.RunAsync(tenantId, waits: true, lifetime.ApplicationStopping).ConfigureAwait(false) || existed;
    }

    public Task<IssuedPrincipal> IssuePrincipalAsync(
        TenantId tenantId,
        PrincipalRegistration principal,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(principal);
        return principals.IssueAsync(Get(tenantId, cancellationToken), principal);
    }

    public Task<IReadOnlyList<TenantPrincipal>> ListPrincipalsAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
        principals.ListAsync(Get(tenantId, cancellationToken));

    public Task<IssuedPrincipal?> RotatePrincipalAsync(
        TenantId tenantId,
        string principalId,
        TimeSpan overlap = default,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(principalId);
        return principals.RotateAsync(Get(tenantId, cancellationToken), principalId, overlap);
    }

    public Task<bool> RevokePrincipalAsync(TenantId tenantId, string principalId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(principalId);
        return principals.RevokeAsync(Get(tenantId, cancellationToken), principalId);
    }

    public Task<TenantClient> AddClientAsync(TenantId tenantId, ClientRegistration client, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return clients.AddAsync(Get(tenantId, cancellationToken), client, cancellationToken);
    }

    public Task<TenantClientPage> ListClientsAsync(
        TenantId tenantId,
        string? cursor = null,
        int take = 100,
        CancellationToken cancellationToken = default
    ) => clients.ListAsync(Get(tenantId, cancellationToken), cursor, take);

    public Task<TenantClient?> FindClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return clients.FindAsync(Get(tenantId, cancellationToken), handle);
    }

    public Task<TenantClient?> RefreshClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return clients.RefreshAsync(Get(tenantId, cancellationToken), handle, cancellationToken);
    }

    public Task<bool> RemoveClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return clients.RemoveAsync(Get(tenantId, cancellationToken), handle);
    }

    private TenantModel Get(TenantId tenantId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return registry.Get(tenantId) ?? throw new TenantNotFoundException(tenantId);
    }
}
