using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Lets the scheme that the tenant names prove who is calling, and says it in a form that only this tenant understands.</summary>
internal sealed class TenantSchemeHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    IOptions<TenancyOptions> tenancy,
    TokenRefusals refusals
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The credentials are not valid here.");

    // Only one that was added for tenants: a tenant's admin must not get at the schemes of other parts of the application.
    private (string Name, string IdClaim)? Find(TenantModel tenant) =>
        tenant.Config.Authentication is { Kind: TenantAuthenticationKind.Scheme, Scheme: { } name }
        && tenancy.Value.Schemes.TryGetValue(name, out var added)
            ? (name, added.IdClaim)
            : null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Features.Get<ITenantFeature>() is not { Tenant: var tenant } || Find(tenant) is not var (name, idClaim))
        {
            return AuthenticateResult.NoResult();
        }

        var result = await Context.AuthenticateAsync(name);
        if (result.None)
        {
            return result;
        }

        if (result.Principal is not { Identity.IsAuthenticated: true } principal)
        {
            // What the scheme says of it may repeat the credentials.
            refusals.Note(
                tenant.Id,
                new(RefusalCause.Credentials, $"The scheme '{name}' did not accept the credentials: it alone can say why, as in its log.")
            );
            return Invalid;
        }

        if (CallerIdentity.FromScheme(principal, name, idClaim) is not { } caller)
        {
            refusals.Note(
                tenant.Id,
                new(
                    RefusalCause.Credentials,
                    $"The scheme '{name}' accepted the credentials, but does not say whose they are by exactly one claim '{idClaim}' that "
                        + "can be an id."
                )
            );
            return Invalid;
        }

        return AuthenticateResult.Success(new(Identify(principal, caller.ToClaim(tenant.Id)), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (Context.Features.Get<ITenantFeature>() is { Tenant: var tenant } && Find(tenant) is var (name, _))
        {
            await Context.ChallengeAsync(name, properties);
        }
    }

    // Another scheme may give a claim of the type that identities have; it must not be taken for one.
    private ClaimsPrincipal Identify(ClaimsPrincipal principal, Claim identity) =>
        new(
            new ClaimsIdentity(
                principal.Claims.Where(claim => claim.Type != ClaimTypes.NameIdentifier).Prepend(identity),
                Scheme.Name,
                ClaimTypes.Name,
                ClaimTypes.Role
            )
        );
}
