using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Asks again whether what a request showed when it came is still good, for requests that stay: by the same rules as at the door, and by
/// the tenant as it is now.
/// </summary>
internal sealed class StandingCallers(IServiceScopeFactory scopes)
{
    /// <summary>Whether the caller of a request that is still under way would be let in as the same one.</summary>
    /// <returns>Null where nobody can say, as without the store or the issuer's keys.</returns>
    public async Task<bool?> IsStillGoodAsync(HttpContext http, TenantModel tenant, CallerIdentity caller)
    {
        await using var scope = scopes.CreateAsyncScope();
        var again = Copy(http, tenant, scope.ServiceProvider);
        try
        {
            var result = await again.AuthenticateAsync(TenantSchemes.Default);

            // Where others have tried too many bad tokens from this address, a good one that has to be checked anew is not looked at.
            return again.Features.Get<TooManyFailedChecks>() is not null
                ? null
                : result.Failure is null && CallerIdentity.Read(result.Principal ?? new(), tenant.Id) == caller;
        }
        catch (Exception exception) when (exception is StoreUnavailableException or IssuerUnavailableException)
        {
            return null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Somebody's own validator or scheme failed. At the door nobody would be let in by that.
            return false;
        }
    }

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
