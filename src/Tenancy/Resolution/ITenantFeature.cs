using System.Security.Claims;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>The tenant of a request, read once when the request came.</summary>
public interface ITenantFeature
{
    /// <summary>Gets the tenant as it was when the request came.</summary>
    TenantModel Tenant { get; }

    /// <summary>Gets the tenant's URL that the request came to; null where the tenant was named otherwise.</summary>
    TenantUrl? Url { get; }

    /// <summary>Who is calling, read once of each user that the request is given.</summary>
    internal CallerIdentity CallerOf(ClaimsPrincipal user);

    /// <summary>Says who a user is that was made for a caller who is known.</summary>
    internal void Know(ClaimsPrincipal user, CallerIdentity caller);
}

internal sealed class TenantFeature(TenantModel tenant, TenantUrl? url) : ITenantFeature
{
    private ClaimsPrincipal? _user;
    private CallerIdentity _caller = CallerIdentity.Anonymous;

    public TenantModel Tenant { get; } = tenant;

    public TenantUrl? Url { get; } = url;

    public CallerIdentity CallerOf(ClaimsPrincipal user)
    {
        if (!ReferenceEquals(_user, user))
        {
            Know(user, CallerIdentity.Read(user, Tenant.Id));
        }

        return _caller;
    }

    public void Know(ClaimsPrincipal user, CallerIdentity caller) => (_user, _caller) = (user, caller);
}
