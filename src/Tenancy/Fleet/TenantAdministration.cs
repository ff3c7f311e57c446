using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>Registers and deletes tenants together with what they keep in the store.</summary>
internal sealed class TenantAdministration(
    TenantRegistry registry, RedisConnection redis, TenantPurge purge, IHostEnvironment environment, IOptions<TenancyOptions> options, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private readonly bool _allowsDevelopmentTokens = DevelopmentValues.AreAllowed(environment, options.Value);

    /// <summary>Registers a tenant and creates the principals that it begins with.</summary>
    public async Task<RegisteredTenant> RegisterAsync(
        TenantRegistration registration, bool wait = false, TenantCreation creation = TenantCreation.New, string origin = TenantOrigin.Admin, CancellationToken cancellationToken = default)
    {
        if (PrincipalValidator.Validate(registration.Tenant.Id, registration.Principals, _allowsDevelopmentTokens).ToArray() is { Length: > 0 } errors)
        {
            throw new TenantConfigException(errors);
        }

        // The tenant first: whoever fails to register an id must not be able to add a principal to it.
        var (status, isNew) = await registry.TryRegisterAsync(registration.Tenant, wait, creation, origin, cancellationToken).ConfigureAwait(false);
        return new(status, isNew, isNew ? await CreatePrincipalsAsync(registration).ConfigureAwait(false) : []);
    }

    /// <summary>Takes a tenant out of service and deletes all that it keeps, whether or not the caller waits for it. After the server was stopped meanwhile it can be called again.</summary>
    /// <returns>False when there is no such tenant.</returns>
    public async Task<bool> DeleteAsync(TenantId tenantId)
    {
        var existed = await registry.RemoveAsync(tenantId, purge: true).ConfigureAwait(false);
        if (existed || await purge.IsDueAsync(tenantId).ConfigureAwait(false))
        {
            await purge.RunAsync(tenantId, lifetime.ApplicationStopping).ConfigureAwait(false);
            return true;
        }

        return false;
    }

    /// <summary>Takes a tenant out of service and keeps its data.</summary>
    /// <returns>False when there is no such tenant.</returns>
    public Task<bool> UnregisterAsync(TenantId tenantId) => registry.RemoveAsync(tenantId, purge: false);

    private async Task<IReadOnlyList<IssuedPrincipal>> CreatePrincipalsAsync(TenantRegistration registration)
    {
        var store = new PrincipalStore(redis, TenantId.Parse(registration.Tenant.Id));
        var issued = new List<IssuedPrincipal>();
        for (var i = 0; i < registration.Principals.Count; i++)
        {
            var (principal, refusal) = await store.CreateAsync(registration.Principals[i], time.GetUtcNow()).ConfigureAwait(false);
            issued.Add(principal ?? throw (refusal == PrincipalRefusal.TooMany
                ? new TenantConflictException("principals", $"A tenant has {PrincipalStore.MaxPrincipals} principals at most, and those that it was registered with before count.")
                : new TenantConflictException($"principals[{i}].token", "The token is in use: leave it out to have one generated.")));
        }

        return issued;
    }
}

/// <summary>A tenant that was registered, with the principals and tokens that were created for it.</summary>
internal sealed record RegisteredTenant(TenantStatus Status, bool IsNew, IReadOnlyList<IssuedPrincipal> Principals);
