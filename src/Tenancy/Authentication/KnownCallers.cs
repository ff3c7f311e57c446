using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Lets requests to MCP endpoints pass whose caller was proved a moment ago, or who show no credentials. The outcome of ASP.NET Core's
/// authentication and authorization is known for them, and costs more than all the rest of the way to a tool. All other requests go that
/// way.
/// </summary>
internal sealed class KnownCallers(
    PrincipalCache principals,
    TenantJwts jwts,
    ClientCache clients,
    ITokenValidator tokens,
    IOptions<AuthorizationOptions> authorization,
    IServiceScopeFactory scopes
)
{
    // A token validator of the application is asked at each request.
    private readonly bool _hasOurTokens = tokens is StoredTokenValidator;

    // So are policies, claims transformations and authentication services that the application has put in ASP.NET Core's way.
    private readonly bool _isStock = authorization.Value.FallbackPolicy is null && IsStock(scopes);

    /// <summary>Whether the request's caller is known; the request then has its user.</summary>
    public bool TryAdmit(HttpContext context)
    {
        if (
            !_isStock
            || context.Features.Get<ITenantFeature>() is not { Tenant: var tenant }
            || context.GetEndpoint() is not { Metadata: var metadata }
            || !IsOpenEndpoint(metadata)
        )
        {
            return false;
        }

        var kind = tenant.Config.Authentication?.Kind ?? TenantAuthenticationKind.None;
        if (
            kind == TenantAuthenticationKind.None
            || (kind != TenantAuthenticationKind.Scheme && context.Request.Headers.Authorization.Count == 0)
        )
        {
            return true;
        }

        return BearerToken.TryFind(context.Request.Headers, out var token)
            && token.Length <= BearerToken.MaxLength
            && kind switch
            {
                TenantAuthenticationKind.Bearer => TryAdmitPrincipal(context, tenant, token),
                TenantAuthenticationKind.Jwks => TryAdmitBelieved(context, tenant, token),
                _ => false,
            };
    }

    // Asked of a scope, and not of the constructor: an application may have put services there that live as long as a request.
    private static bool IsStock(IServiceScopeFactory scopes)
    {
        using var scope = scopes.CreateScope();
        return scope.ServiceProvider.GetRequiredService<IAuthorizationPolicyProvider>() is DefaultAuthorizationPolicyProvider
            && scope.ServiceProvider.GetRequiredService<IClaimsTransformation>() is NoopClaimsTransformation
            && scope.ServiceProvider.GetRequiredService<IAuthenticationService>().GetType().Assembly
                == typeof(AuthenticationService).Assembly;
    }

    private static bool IsOpenEndpoint(EndpointMetadataCollection metadata) =>
        metadata.GetMetadata<TenantEndpointMetadata>() is { IsMcp: true }
        && metadata.GetMetadata<IAuthorizeData>() is null
        && metadata.GetMetadata<AuthorizationPolicy>() is null
        && metadata.GetMetadata<IAuthorizationRequirementData>() is null;

    private bool TryAdmitPrincipal(HttpContext context, TenantModel tenant, ReadOnlySpan<char> token)
    {
        if (!_hasOurTokens || !principals.TryGet(tenant, token, out var known))
        {
            return false;
        }

        context.Features.Set<IHttpAuthenticationFeature>(KnownUser.Of(known));
        return true;
    }

    private bool TryAdmitBelieved(HttpContext context, TenantModel tenant, ReadOnlySpan<char> token)
    {
        if (
            !jwts.GetBelieved(tenant).TryGet(token, out var believed)
            || (tenant.Config.Authentication!.RequireClients && !clients.IsKnown(tenant, believed!.Client))
        )
        {
            return false;
        }

        context.Features.Set<IHttpAuthenticationFeature>(KnownUser.Of(believed!));
        return true;
    }
}
