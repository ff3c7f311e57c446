using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the JSON Web Tokens of the request's tenant, and says who is calling in a form that only this tenant understands.</summary>
internal sealed class TenantJwtHandler(TenantJwtOptions options, FailedChecks failures, ILoggerFactory loggers, UrlEncoder encoder) : JwtBearerHandler(options, loggers, encoder)
{
    // One answer for foreign, expired and forged tokens and for garbage: it tells nobody which it was.
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The token is not valid here.");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0 || Context.Features.Get<ITenantFeature>() is not { Tenant: var tenant } || Options.ConfigurationManager is not IssuerKeys keys)
        {
            return AuthenticateResult.NoResult();
        }

        // What is not even meant for this issuer costs neither keys nor a signature.
        if (!BearerToken.TryRead(Request.Headers, out var token) || !UnverifiedJwt.TryRead(token, out var jwt) || jwt.Issuer != keys.Authentication.Issuer)
        {
            return Invalid;
        }

        var believed = options.GetBelieved(tenant);
        if (believed.TryGet(token, out var known))
        {
            return Succeed(known!);
        }

        if (!failures.MayCheck(Context, tenant.Id))
        {
            return Invalid;
        }

        if (await CheckAsync(keys, jwt.Issuer) is not var (checkedToken, caller))
        {
            failures.Count(Context, tenant.Id);
            return Invalid;
        }

        var principal = Identify(checkedToken, caller.ToClaim(tenant.Id));
        var belief = keys.Belief < TenantJwtOptions.MaximumBelief ? keys.Belief : TenantJwtOptions.MaximumBelief;
        believed.Add(token, principal, Earlier(jwt.ValidTo, TimeProvider.GetUtcNow() + belief));
        return Succeed(principal);
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        BearerChallenge.Write(Context, isInvalid: (await HandleAuthenticateOnceSafeAsync()).Failure is not null);

    // A copy: what an application adds to one request's user must not stay for the next one.
    private AuthenticateResult Succeed(ClaimsPrincipal principal) => AuthenticateResult.Success(new(principal.Clone(), Scheme.Name));

    // A token may carry a claim of the type that identities have; it must not be taken for one.
    private static ClaimsPrincipal Identify(ClaimsPrincipal principal, Claim identity) => new(new ClaimsIdentity(
        principal.Claims.Where(claim => claim.Type != ClaimTypes.NameIdentifier).Prepend(identity), TenantSchemes.Jwks, ClaimTypes.Name, ClaimTypes.Role));

    private static DateTimeOffset Earlier(DateTime expiry, DateTimeOffset other) => expiry < other ? expiry : other;

    private async Task<(ClaimsPrincipal Token, CallerIdentity Caller)?> CheckAsync(IssuerKeys keys, string issuer)
    {
        await keys.GetConfigurationAsync(Context.RequestAborted);
        options.CountCheck();
        var result = await base.HandleAuthenticateAsync();
        if (result.Failure is SecurityTokenSignatureKeyNotFoundException && await keys.TryRenewAsync(Context.RequestAborted))
        {
            options.CountCheck();
            result = await base.HandleAuthenticateAsync();
        }

        return result.Principal is { } principal && CallerIdentity.FromToken(principal, issuer) is { } caller ? (principal, caller) : null;
    }
}
