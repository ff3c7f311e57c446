using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the opaque tokens of a tenant's principals.</summary>
internal sealed class TenantBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, PrincipalCache principals, IHostEnvironment environment)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    // One answer for tokens of other tenants, revoked ones and garbage: it tells nobody which it was.
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The token is not valid here.");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0 || Context.Features.Get<ITenantFeature>() is not { Tenant: var tenant })
        {
            return AuthenticateResult.NoResult();
        }

        if (!BearerToken.TryRead(Request.Headers, out var token) || !BearerToken.TenantOf(token).SequenceEqual(tenant.Id.Value) || !PrincipalValidator.IsStrongEnough(token, environment))
        {
            return Invalid;
        }

        if (await principals.FindAsync(tenant, token) is not { } principal)
        {
            return Invalid;
        }

        var identity = new ClaimsIdentity(
            [CallerIdentity.Principal(principal.Id).ToClaim(tenant.Id), new Claim(ClaimTypes.Name, principal.Name)], Scheme.Name, ClaimTypes.Name, ClaimTypes.Role);
        return AuthenticateResult.Success(new(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        BearerToken.Challenge(Response, isInvalid: (await HandleAuthenticateOnceSafeAsync()).Failure is not null);
}
