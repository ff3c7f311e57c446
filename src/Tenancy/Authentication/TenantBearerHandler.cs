using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>Checks the opaque tokens of a tenant's principals.</summary>
internal sealed class TenantBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    ITokenValidator tokens,
    FailedChecks failures,
    GoodTokens good,
    BearerChallenge challenge
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
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
