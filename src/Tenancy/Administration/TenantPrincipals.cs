using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Administration;

/// <summary>Changes the principals of tenants.</summary>
internal sealed class TenantPrincipals(
    RedisConnection redis,
    PrincipalCache cache,
    IHostEnvironment environment,
    IOptions<TenancyOptions> options,
    TimeProvider time,
    ILogger<TenantPrincipals> logger
)
{
    /// <summary>The longest time for which a token is good beside the one that replaced it.</summary>
    public static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(7);

    private readonly bool _allowsDevelopmentTokens = DevelopmentValues.AreAllowed(environment, options.Value);

    /// <exception cref="TenantConfigException">A principal that the tenant is to begin with has mistakes.</exception>
    public void ThrowIfInvalid(TenantRegistration registration) =>
        Throw(PrincipalValidator.Validate(registration.Tenant.Id, registration.Principals, _allowsDevelopmentTokens));

    /// <summary>Creates the principals that a tenant begins with.</summary>
    public async Task<IReadOnlyList<IssuedPrincipal>> CreateAsync(TenantRegistration registration)
    {
        var store = new PrincipalStore(redis, TenantId.Parse(registration.Tenant.Id));
        var issued = new List<IssuedPrincipal>();
        for (var i = 0; i < registration.Principals.Count; i++)
        {
            var (principal, refusal) = await store.CreateAsync(registration.Principals[i], time.GetUtcNow()).ConfigureAwait(false);
            issued.Add(
                principal
                    ?? throw (
                        refusal == PrincipalRefusal.TooMany
                            ? new TenantConflictException(
                                "principals",
                                $"A tenant has {PrincipalStore.MaxPrincipals} principals at most, and those that it was registered "
                                    + "with before count."
                            )
                            : new TenantConflictException(
                                $"principals[{i}].token",
                                "The token is in use: leave it out to have one generated."
                            )
                    )
            );
        }

        return issued;
    }

    public async Task<IssuedPrincipal> IssueAsync(TenantModel tenant, PrincipalRegistration principal)
    {
        Throw(PrincipalValidator.Validate(tenant.Id.Value, principal, _allowsDevelopmentTokens));
        var (issued, refusal) = await new PrincipalStore(redis, tenant.Id).CreateAsync(principal, time.GetUtcNow()).ConfigureAwait(false);
        if (issued is null)
        {
            throw refusal == PrincipalRefusal.TooMany
                ? new TenantConflictException(
                    "principals",
                    $"The tenant has {PrincipalStore.MaxPrincipals} principals, as many as it may: revoke one."
                )
                : new TenantConflictException("token", "The token is in use: leave it out to have one generated.");
        }

        logger.PrincipalIssued(tenant.Id.Value, issued.Id);
        return issued;
    }

    public async Task<IReadOnlyList<TenantPrincipal>> ListAsync(TenantModel tenant) =>
        [
            .. (await new PrincipalStore(redis, tenant.Id).ListAsync().ConfigureAwait(false)).Select(
                static principal => new TenantPrincipal(principal.Id, principal.Name, principal.CreatedAt)
                {
                    Scopes = principal.Scopes,
                    ExpiresAt = principal.ExpiresAt,
                }
            ),
        ];

    public async Task<IssuedPrincipal?> RotateAsync(TenantModel tenant, string principalId, TimeSpan overlap)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(overlap, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, MaxOverlap);
        var now = time.GetUtcNow();
        var rotated = await ChangeAsync(tenant, principals => principals.RotateAsync(principalId, now + overlap, now))
            .ConfigureAwait(false);
        if (rotated is not null)
        {
            logger.PrincipalRotated(tenant.Id.Value, rotated.Id, (int)overlap.TotalSeconds);
        }

        return rotated;
    }

    public async Task<bool> RevokeAsync(TenantModel tenant, string principalId)
    {
        var isRevoked = await ChangeAsync(tenant, principals => principals.DeleteAsync(principalId)).ConfigureAwait(false);
        if (isRevoked)
        {
            logger.PrincipalRevoked(tenant.Id.Value, principalId);
        }

        return isRevoked;
    }

    // Where the store does not answer, the change may have happened: what is known must go in any case.
    private async Task<T> ChangeAsync<T>(TenantModel tenant, Func<PrincipalStore, Task<T>> change)
    {
        try
        {
            return await change(new(redis, tenant.Id)).ConfigureAwait(false);
        }
        finally
        {
            cache.Forget();
        }
    }

    private static void Throw(IEnumerable<TenantConfigError> errors)
    {
        if (errors.ToArray() is { Length: > 0 } found)
        {
            throw new TenantConfigException(found);
        }
    }
}
