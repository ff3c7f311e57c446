using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Audit;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Administration;

/// <summary>Changes the principals of tenants.</summary>
internal sealed class TenantPrincipals(
    RedisConnection redis,
    AuditLog audit,
    Revocations revocations,
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

    /// <summary>Makes the principals that a tenant is to begin with.</summary>
    public (IssuedPrincipal Issued, DuePrincipal Due)[] Prepare(TenantRegistration registration)
    {
        // A malformed id is refused where the tenant is registered, together with all other mistakes.
        var now = time.GetUtcNow();
        return TenantId.TryParse(registration.Tenant.Id, out var id)
            ? [.. registration.Principals.Select(principal => PrincipalStore.Prepare(id, principal, now))]
            : [];
    }

    /// <summary>Finds the principals of a registration at a tenant that was there already: none is dropped in silence.</summary>
    /// <exception cref="TenantConflictException">The tenant does not have one of them.</exception>
    public async Task<IReadOnlyList<IssuedPrincipal>> FindAsync(TenantModel tenant, IReadOnlyList<PrincipalRegistration> principals)
    {
        var (store, found) = (new PrincipalStore(redis, tenant.Id, tenant.Generation), new List<IssuedPrincipal>());
        foreach (var (i, principal) in principals.Index())
        {
            var known = principal.Token is { } token ? await store.FindAsync(token).ConfigureAwait(false) : null;
            if (known is null || known.Name != principal.Name || !known.Scopes.SequenceEqual(principal.Scopes))
            {
                throw new TenantConflictException(
                    $"principals[{i}]",
                    $"Tenant '{tenant.Id}' is there already, and "
                        + (
                            principal.Token is null
                                ? "whether this principal was made with it cannot be known without its token"
                                : "has no such principal"
                        )
                        + $"; nothing was changed. Look at its principals, and issue what is missing or give one a new token: "
                        + $"POST /admin/tenants/{tenant.Id}/principals, or .../principals/{{id}}/rotate."
                );
            }

            found.Add(new(known.Id, known.Name, principal.Token!, known.Scopes));
        }

        return found;
    }

    public async Task<IssuedPrincipal> IssueAsync(TenantModel tenant, PrincipalRegistration principal)
    {
        Throw(PrincipalValidator.Validate(tenant.Id.Value, principal, _allowsDevelopmentTokens));
        var entry = AuditEntry.Of(AuditAction.PrincipalIssued, tenant.Id.Value) with
        {
            Changes = AuditChanges.Told(("name", principal.Name), ("scopes", Scopes(principal.Scopes))),
        };
        var (issued, refusal) = await audit
            .ChangeAsync(tenant.Id, () =>
                new PrincipalStore(redis, tenant.Id, tenant.Generation).CreateAsync(principal, time.GetUtcNow(), entry)
            )
            .ConfigureAwait(false);
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
            .. (await new PrincipalStore(redis, tenant.Id, tenant.Generation).ListAsync().ConfigureAwait(false)).Select(
                static principal => new TenantPrincipal(principal.Id, principal.Name, principal.CreatedAt)
                {
                    Scopes = principal.Scopes,
                    ExpiresAt = principal.ExpiresAt,
                }
            ),
        ];

    public async Task<IssuedPrincipal?> RotateAsync(TenantModel tenant, string principalId, TimeSpan overlap, string? token = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(overlap, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, MaxOverlap);
        var now = time.GetUtcNow();
        var entry = AuditEntry.Of(AuditAction.PrincipalRotated, tenant.Id.Value) with
        {
            Changes = AuditChanges.Told(("overlap", overlap > TimeSpan.Zero ? overlap.ToString("c", CultureInfo.InvariantCulture) : null)),
        };
        var rotated = await ChangeAsync(tenant, principals => principals.RotateAsync(principalId, now + overlap, now, entry, token))
            .ConfigureAwait(false);
        if (rotated is not null)
        {
            logger.PrincipalRotated(tenant.Id.Value, rotated.Id, (int)overlap.TotalSeconds);
        }

        return rotated;
    }

    public async Task<bool> RevokeAsync(TenantModel tenant, string principalId)
    {
        var isRevoked = await ChangeAsync(tenant, principals => principals.DeleteAsync(principalId, Revoked)).ConfigureAwait(false);
        if (isRevoked)
        {
            logger.PrincipalRevoked(tenant.Id.Value, principalId);
        }

        return isRevoked;

        AuditEntry Revoked(StoredPrincipal? principal) =>
            AuditEntry.Of(AuditAction.PrincipalRevoked, tenant.Id.Value) with
            {
                Changes = principal is null ? [] : AuditChanges.Gone(("name", principal.Name), ("scopes", Scopes(principal.Scopes))),
            };
    }

    // Also where the store did not answer: the change may have happened, so that the cached answers are dropped in any case.
    private async Task<T> ChangeAsync<T>(TenantModel tenant, Func<PrincipalStore, Task<T>> change)
    {
        try
        {
            return await audit.ChangeAsync(tenant.Id, () => change(new(redis, tenant.Id, tenant.Generation))).ConfigureAwait(false);
        }
        finally
        {
            revocations.TellOfPrincipals(tenant.Id);
        }
    }

    private static string? Scopes(IReadOnlyList<string> scopes) => scopes.Count > 0 ? string.Join(' ', scopes) : null;

    private static void Throw(IEnumerable<TenantConfigError> errors)
    {
        if (errors.ToArray() is { Length: > 0 } found)
        {
            throw new TenantConfigException(found);
        }
    }
}
