using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Checks the JSON Web Tokens of the request's tenant, and says who is calling in a form that only this tenant understands.
/// </summary>
/// <remarks>
/// ASP.NET Core's own handler is not used: it says of a token that was refused neither the tenant nor what of the token was wrong, and it
/// has one set of options for all tenants. Nor are its log lines about each failure, of which a flood makes many.
/// </remarks>
internal sealed class TenantJwtHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    UrlEncoder encoder,
    TenantJwts jwts,
    ClientCache clients,
    FailedChecks failures,
    TokenRefusals refusals,
    ProtectedResource resources,
    BearerChallenge challenge
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, NullLoggerFactory.Instance, encoder)
{
    // One answer for foreign, expired and forged tokens and for garbage: it tells nobody which it was.
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The token is not valid here.");

    private static readonly AuthenticateResult Unlisted = AuthenticateResult.Fail("The token's client may not call the tenant.");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (
            Request.Headers.Authorization.Count == 0
            || Context.Features.Get<ITenantFeature>()
                is not { Tenant: { Config.Authentication.Kind: TenantAuthenticationKind.Jwks } tenant }
        )
        {
            return AuthenticateResult.NoResult();
        }

        if (!BearerToken.TryRead(Request.Headers, out var token))
        {
            refusals.Note(tenant.Id, TokenRefusal.NoBearer);
            return Invalid;
        }

        var known = jwts.Get(tenant);
        if (known.Believed.TryGet(token, out var believed))
        {
            return await AdmitAsync(tenant, believed!);
        }

        if (!await failures.TryBeginAsync(Context, tenant.Id))
        {
            return Invalid;
        }

        // A check may throw, as without the issuer's keys: that says nothing about the token, and it is not counted as bad. But a client
        // that goes away before its token is checked may do so on purpose, so that it counts.
        bool? isGood = null;
        try
        {
            var (accepted, refusal) = await jwts.CheckAsync(known, token, resources.Find(Context), Context.RequestAborted);
            isGood = accepted is not null;
            if (refusal is not null)
            {
                refusals.Note(tenant.Id, refusal);
            }

            return accepted is not null ? await AdmitAsync(tenant, accepted) : Invalid;
        }
        catch (IssuerUnavailableException exception)
        {
            refusals.Note(tenant.Id, TokenRefusal.WithoutKeys(exception));
            throw;
        }
        finally
        {
            failures.End(Context, tenant.Id, isGood ?? !Context.RequestAborted.IsCancellationRequested);
        }
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        if (Context.Features.Get<UnlistedClient>() is not null)
        {
            // No challenge: whatever token this client gets, it is refused. At an MCP endpoint it is told so by KnownCallersMiddleware.
            if (Context.GetEndpoint()?.Metadata.GetMetadata<TenantEndpointMetadata>() is { IsMcp: true })
            {
                Response.StatusCode = Refusal.UnlistedClient.StatusCode;
                return;
            }

            await Refusal.UnlistedClient.WriteAsync(Context);
            return;
        }

        challenge.Write(Context, isInvalid: result.Failure is not null);
    }

    private async ValueTask<AuthenticateResult> AdmitAsync(TenantModel tenant, BelievedToken token)
    {
        if (tenant.Config.Authentication!.RequireClients && !await clients.IsListedAsync(tenant, token.Client))
        {
            refusals.Note(tenant.Id, TokenRules.ExplainClient(tenant, token.Client));
            Context.Features.Set(UnlistedClient.Instance);
            return Unlisted;
        }

        return AuthenticateResult.Success(new(token.User.Copy(), Scheme.Name));
    }
}

/// <summary>A request whose token is good, but was issued to a client that the tenant does not list.</summary>
internal sealed class UnlistedClient
{
    public static UnlistedClient Instance { get; } = new();
}
