using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Checks the JSON Web Tokens of the request's tenant, and says who is calling in a form that only this tenant understands.
/// </summary>
internal sealed class TenantJwtHandler : JwtBearerHandler, IAuthenticationHandler
{
    // One answer for foreign, expired and forged tokens and for garbage: it tells nobody which it was.
    private static readonly AuthenticateResult Invalid = AuthenticateResult.Fail("The token is not valid here.");

    private static readonly AuthenticateResult Unlisted = AuthenticateResult.Fail("The token's client may not call the tenant.");

    private readonly TenantJwtOptions _options;
    private readonly ClientCache _clients;
    private readonly FailedChecks _failures;
    private readonly BearerChallenge _challenge;

    /// <summary>Initializes a handler for one request.</summary>
    public TenantJwtHandler(
        TenantJwtOptions options,
        ClientCache clients,
        FailedChecks failures,
        BearerChallenge challenge,
        ILoggerFactory loggers,
        UrlEncoder encoder
    )
        : base(new RequestOptions(options), loggers, encoder) =>
        (_options, _clients, _failures, _challenge) = (options, clients, failures, challenge);

    // The base class reads its options when it gets its request, and by then they have to be those of the request's tenant.
    Task IAuthenticationHandler.InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        ((RequestOptions)OptionsMonitor).Request = context;
        return InitializeAsync(scheme, context);
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (
            Request.Headers.Authorization.Count == 0
            || Context.Features.Get<ITenantFeature>() is not { Tenant: var tenant }
            || Options.ConfigurationManager is not IssuerKeys keys
        )
        {
            return AuthenticateResult.NoResult();
        }

        if (!BearerToken.TryRead(Request.Headers, out var token))
        {
            return Invalid;
        }

        var believed = _options.GetBelieved(tenant);
        if (believed.TryGet(token, out var known))
        {
            return await AdmitAsync(tenant, known!);
        }

        if (!await _failures.TryBeginAsync(Context, tenant.Id))
        {
            return Invalid;
        }

        // A check may throw, as without the issuer's keys: that says nothing about the token, and it is not counted as bad. But a client
        // that goes away before its token is checked may do so on purpose, so that it counts.
        bool? isGood = null;
        try
        {
            var principal = await TryCheckAsync(tenant, keys, believed, token);
            isGood = principal is not null;
            return isGood.Value ? await AdmitAsync(tenant, principal!) : Invalid;
        }
        finally
        {
            _failures.End(Context, tenant.Id, isGood ?? !Context.RequestAborted.IsCancellationRequested);
        }
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        if (Context.Features.Get<UnlistedClient>() is not null)
        {
            // No challenge: whatever token this client gets, it is refused.
            await Refusal.UnlistedClient.WriteAsync(Context);
            return;
        }

        _challenge.Write(Context, isInvalid: result.Failure is not null);
    }

    /// <summary>Checks a token that was not shown before, and believes it for a while where it is good.</summary>
    private async Task<ClaimsPrincipal?> TryCheckAsync(
        TenantModel tenant,
        IssuerKeys keys,
        RecentTokens<ClaimsPrincipal> believed,
        string token
    )
    {
        // A token that is not meant for this issuer is refused before keys are loaded or a signature is checked.
        if (
            !UnverifiedJwt.TryRead(token, out var jwt)
            || jwt.Issuer != keys.Authentication.Issuer
            || await CheckAsync(keys, jwt.Issuer) is not var (checkedToken, caller)
        )
        {
            return null;
        }

        var principal = Identify(checkedToken, caller.ToClaim(tenant.Id));
        var belief = keys.Belief < TenantJwtOptions.MaximumBelief ? keys.Belief : TenantJwtOptions.MaximumBelief;
        _options.Believe(believed, token, principal, Earlier(jwt.ValidTo, TimeProvider.GetUtcNow() + belief));
        return principal;
    }

    private async ValueTask<AuthenticateResult> AdmitAsync(TenantModel tenant, ClaimsPrincipal principal)
    {
        if (tenant.Config.Authentication!.RequireClients && !await _clients.IsListedAsync(tenant, CallerIdentity.ClientOf(principal)))
        {
            Context.Features.Set(UnlistedClient.Instance);
            return Unlisted;
        }

        return AuthenticateResult.Success(new(principal.Copy(), Scheme.Name));
    }

    // A token may carry a claim of the type that identities have; it must not be taken for one.
    private static ClaimsPrincipal Identify(ClaimsPrincipal principal, Claim identity) =>
        new(
            new ClaimsIdentity(
                principal.Claims.Where(claim => claim.Type != ClaimTypes.NameIdentifier).Prepend(identity),
                TenantSchemes.Jwks,
                ClaimTypes.Name,
                ClaimTypes.Role
            )
        );

    private static DateTimeOffset Earlier(DateTime expiry, DateTimeOffset other) => expiry < other ? expiry : other;

    private async Task<(ClaimsPrincipal Token, CallerIdentity Caller)?> CheckAsync(IssuerKeys keys, string issuer)
    {
        await keys.GetConfigurationAsync(Context.RequestAborted);
        _options.CountCheck();
        var result = await base.HandleAuthenticateAsync();
        if (result.Failure is SecurityTokenSignatureKeyNotFoundException && await keys.TryRenewAsync(Context.RequestAborted))
        {
            _options.CountCheck();
            result = await base.HandleAuthenticateAsync();
        }

        return result.Principal is { } principal && CallerIdentity.FromToken(principal, issuer) is { } caller ? (principal, caller) : null;
    }

    private sealed class RequestOptions(TenantJwtOptions options) : IOptionsMonitor<JwtBearerOptions>
    {
        public HttpContext? Request { get; set; }

        public JwtBearerOptions CurrentValue =>
            options.Get(Request ?? throw new InvalidOperationException("A handler has options when it has a request."));

        public JwtBearerOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<JwtBearerOptions, string?> listener) => null;
    }
}

/// <summary>A request whose token is good, but was issued to a client that the tenant does not list.</summary>
internal sealed class UnlistedClient
{
    public static UnlistedClient Instance { get; } = new();
}
