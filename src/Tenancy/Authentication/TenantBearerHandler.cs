using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the opaque tokens of a tenant's principals.</summary>
internal sealed class TenantBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, ITokenValidator tokens, FailedChecks failures, GoodTokens good)
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

        if (!BearerToken.TryRead(Request.Headers, out var token) || token.Length > BearerToken.MaxLength)
        {
            return Invalid;
        }

        // Who was good lately is asked again all the same, only not made to wait for the bad ones of his address.
        var wasGood = good.WasGood(tenant.Id, token);
        if (!wasGood && !failures.MayCheck(Context, tenant.Id))
        {
            return Invalid;
        }

        if (await tokens.ValidateAsync(tenant, token, Context.RequestAborted) is not { } principal)
        {
            if (wasGood)
            {
                // Revoked: from here on, and in this answer, a bad one like any other.
                good.Remove(tenant.Id, token);
                failures.MayCheck(Context, tenant.Id);
            }

            failures.Count(Context, tenant.Id);
            return Invalid;
        }

        good.Add(tenant.Id, token);

        return AuthenticateResult.Success(new(Identify(tenant.Id, principal), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        BearerChallenge.Write(Context, isInvalid: (await HandleAuthenticateOnceSafeAsync()).Failure is not null);

    private ClaimsPrincipal Identify(TenantId tenant, TokenPrincipal principal)
    {
        try
        {
            return KnownPrincipal.Of(tenant, principal).ToUser();
        }
        catch (FormatException exception)
        {
            throw new InvalidOperationException($"{tokens.GetType().Name} cannot be used: {exception.Message}", exception);
        }
    }
}
