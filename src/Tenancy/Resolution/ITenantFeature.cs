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
}

internal sealed class TenantFeature(TenantModel tenant, TenantUrl? url) : ITenantFeature
{
    public TenantModel Tenant { get; } = tenant;

    public TenantUrl? Url { get; } = url;
}
