using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// For requests that stay open for long: checks again whether the credentials that a request came with are still good. It applies the rules
/// for new requests, and the tenant's present configuration.
/// </summary>
internal sealed class StandingCallers(IServiceScopeFactory scopes, TenantJwts jwts, IOptions<TenancyOptions> options)
{
    /// <summary>How long a caller may stay while its credentials cannot be checked, such as while the store is away.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a caller may stay on the proof that it came with, where that is good once and cannot be checked again; null where it can.
    /// </summary>
    public TimeSpan? FindLifetime(TenantModel tenant) =>
        tenant.Config.Authentication is { Kind: TenantAuthenticationKind.Scheme, Scheme: { } scheme }
        && options.Value.Schemes.TryGetValue(scheme, out var added)
            ? added.StreamLifetime
            : null;

    /// <summary>Whether the caller of a request that is still under way would be let in as the same one.</summary>
    /// <returns>
    /// Null where nobody can say: the store or the issuer's keys are away, or the token was not looked at because of others' bad ones.
    /// </returns>
    public async Task<bool?> IsStillGoodAsync(HttpContext http, TenantModel tenant, CallerIdentity caller)
    {
        await using var scope = scopes.CreateAsyncScope();
        var again = Copy(http, tenant, scope.ServiceProvider);
        try
        {
            var result = await again.AuthenticateAsync(TenantSchemes.Default);

            // Too many bad tokens came from the caller's address, perhaps other callers': then its own, which may be good, was not checked.
            return again.Features.Get<TooManyFailedChecks>() is { WasChecked: false }
                ? UnlessExpired(again, tenant)
                : result.Failure is null && CallerIdentity.Read(result.Principal ?? new(), tenant.Id) == caller;
        }
        catch (Exception exception) when (exception is StoreUnavailableException or IssuerUnavailableException)
        {
            return UnlessExpired(again, tenant);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Somebody's own validator or scheme failed. At the door nobody would be let in by that.
            return false;
        }
    }

    // The token was checked when the request came, so that its own word is enough for its end.
    private bool? UnlessExpired(HttpContext http, TenantModel tenant) =>
        tenant.Config.Authentication is { Kind: TenantAuthenticationKind.Jwks }
        && BearerToken.TryRead(http.Request.Headers, out var token)
        && jwts.HasExpired(token)
            ? false
            : null;

    // The same head. What ASP.NET Core remembers of it, such as the handlers that have judged it, is left behind.
    private static DefaultHttpContext Copy(HttpContext http, TenantModel tenant, IServiceProvider services)
    {
        var features = new FeatureCollection(http.Features);
        features.Set<IItemsFeature>(new ItemsFeature());
        features.Set<IServiceProvidersFeature>(new Services(services));
        features.Set<ITenantFeature>(new TenantFeature(tenant, http.Features.GetRequiredFeature<ITenantFeature>().Url));
        return new(features);
    }

    private sealed class Services(IServiceProvider services) : IServiceProvidersFeature
    {
        public IServiceProvider RequestServices { get; set; } = services;
    }
}
