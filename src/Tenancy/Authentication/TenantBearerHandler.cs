using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the opaque tokens of a tenant's principals.</summary>
internal sealed class TenantBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    UrlEncoder encoder,
    ITokenValidator tokens,
    FailedChecks failures,
    GoodTokens good,
    TokenRefusals refusals,
    BearerChallenge challenge
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, NullLoggerFactory.Instance, encoder)
{
    // One answer for tokens of other tenants, revoked ones and garbage: it tells nobody which it was.
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The token is not valid here.");

    /// <summary>
    /// Why a token is refused that is none of the tenant's principals'. Nothing of the token is shown: any part may be a secret.
    /// </summary>
    public static TokenRefusal ExplainUnknown(string token) =>
        new(
            RefusalCause.Principal,
            token.StartsWith("eyJ", StringComparison.Ordinal) && token.Count(c => c == '.') == 2
                ? "The token is a JSON Web Token, and the tenant's kind is 'bearer': its callers show tokens that the admin API issued. "
                    + "For those of an identity provider the kind is 'jwks'."
                : "No principal of the tenant has the token: it was never issued, is another tenant's, or was revoked or rotated."
        );

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0 || Context.Features.Get<ITenantFeature>() is not { Tenant: var tenant })
        {
            return AuthenticateResult.NoResult();
        }

        var isBearer = BearerToken.TryRead(Request.Headers, out var token);
        if (!isBearer || token.Length > BearerToken.MaxLength)
        {
            refusals.Note(tenant.Id, isBearer ? TokenRefusal.Of(TokenFlaw.TooLong, token) : TokenRefusal.NoBearer);
            return Invalid;
        }

        // A token that was good lately is checked again, too. It only does not wait behind the bad tokens of its address.
        return good.WasGood(tenant.Id, token) ? await CheckAgainAsync(tenant, token)
            : await failures.TryBeginAsync(Context, tenant.Id) ? await CheckAsync(tenant, token)
            : Invalid;
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        challenge.Write(Context, isInvalid: (await HandleAuthenticateOnceSafeAsync()).Failure is not null);

    private async Task<AuthenticateResult> CheckAsync(TenantModel tenant, string token)
    {
        // A check may throw, as without the store: that says nothing about the token, and it is not counted as bad. But a client that goes
        // away before its token is checked may do so on purpose, so that it counts.
        bool? isGood = null;
        try
        {
            var principal = await tokens.ValidateAsync(tenant, token, Context.RequestAborted);
            isGood = principal is not null;
            if (principal is null)
            {
                refusals.Note(tenant.Id, ExplainUnknown(token));
            }

            return isGood.Value ? Accept(tenant, token, principal!) : Invalid;
        }
        finally
        {
            failures.End(Context, tenant.Id, isGood ?? !Context.RequestAborted.IsCancellationRequested);
        }
    }

    private async Task<AuthenticateResult> CheckAgainAsync(TenantModel tenant, string token)
    {
        if (await tokens.ValidateAsync(tenant, token, Context.RequestAborted) is { } principal)
        {
            return Accept(tenant, token, principal);
        }

        // It was revoked: from now on, and in this answer, it is treated as any bad token.
        good.Remove(tenant.Id, token);
        failures.Count(Context, tenant.Id);
        refusals.Note(tenant.Id, ExplainUnknown(token));
        return Invalid;
    }

    private AuthenticateResult Accept(TenantModel tenant, string token, TokenPrincipal principal)
    {
        good.Add(tenant.Id, token);
        return AuthenticateResult.Success(new(Identify(tenant.Id, principal), Scheme.Name));
    }

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
