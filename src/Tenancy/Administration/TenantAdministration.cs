using Microsoft.Extensions.Hosting;
using Tenancy.Audit;
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
    AuditLog audit,
    ServingTime serving
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
            MustBuild = options.Origin == TenantOrigin.Admin,
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
        options ??= new();
        return registry.Changes.UpdateAsync(tenantId, change, options.Origin, options.ExpectedVersion, options.Force, cancellationToken);
    }

    public async Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        try
        {
            if (await registry.Stored.FollowAsync(tenantId, cancellationToken).ConfigureAwait(false) is not null)
            {
                await audit.WriteAsync([AuditEntry.Of(AuditAction.TenantRechecked, tenantId.Value)]).ConfigureAwait(false);
            }
        }
        catch (StoreUnavailableException) when (registry.Get(tenantId) is not null)
        {
            // A tenant that this node serves can be checked without the store, too.
        }

        return await registry.Checks.RecheckAsync(tenantId, rebuild: true, cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> UnregisterAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return registry.Changes.RemoveAsync(tenantId, purge: false);
    }

    public async Task<bool> DeleteAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var existed = await registry.Changes.RemoveAsync(tenantId, purge: true).ConfigureAwait(false);
        return await purge.RunAsync(tenantId, waits: true, serving.Ended).ConfigureAwait(false) || existed;
    }

    public async Task<IssuedPrincipal> IssuePrincipalAsync(
        TenantId tenantId,
        PrincipalRegistration principal,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(principal);
        return await principals
            .IssueAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), principal)
            .ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<TenantPrincipal>> ListPrincipalsAsync(
        TenantId tenantId,
        CancellationToken cancellationToken = default
    ) => await principals.ListAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);

    public async Task<IssuedPrincipal?> RotatePrincipalAsync(
        TenantId tenantId,
        string principalId,
        TimeSpan overlap = default,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(principalId);
        return await principals
            .RotateAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), principalId, overlap)
            .ConfigureAwait(false);
    }

    public async Task<bool> RevokePrincipalAsync(TenantId tenantId, string principalId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(principalId);
        return await principals
            .RevokeAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), principalId)
            .ConfigureAwait(false);
    }

    public async Task<TenantClient> AddClientAsync(
        TenantId tenantId,
        ClientRegistration client,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(client);
        return await clients
            .AddAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), client, cancellationToken)
            .ConfigureAwait(false);
    }

    public async Task<TenantClientPage> ListClientsAsync(
        TenantId tenantId,
        string? cursor = null,
        int take = 100,
        CancellationToken cancellationToken = default
    ) => await clients.ListAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), cursor, take).ConfigureAwait(false);

    public async Task<TenantClient?> FindClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return await clients.FindAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), handle).ConfigureAwait(false);
    }

    public async Task<TenantClient?> RefreshClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return await clients
            .RefreshAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), handle, cancellationToken)
            .ConfigureAwait(false);
    }

    public async Task<bool> RemoveClientAsync(TenantId tenantId, string handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return await clients.RemoveAsync(await FindAsync(tenantId, cancellationToken).ConfigureAwait(false), handle).ConfigureAwait(false);
    }

    // Another node may have registered or changed it a moment ago: what is done for it is done for the tenant that the store has. Where the
    // store is away it is done for the one that is here: that fails, too, and whoever caches what it would have changed is told.
    private async Task<TenantModel> FindAsync(TenantId tenantId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await registry.Stored.FollowAsync(tenantId, cancellationToken).ConfigureAwait(false)
                ?? throw new TenantNotFoundException(tenantId);
        }
        catch (StoreUnavailableException) when (registry.Get(tenantId) is not null)
        {
            return registry.Get(tenantId) ?? throw new TenantNotFoundException(tenantId);
        }
    }
}
