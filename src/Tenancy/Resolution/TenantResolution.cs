using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>Which tenant a request names.</summary>
public readonly record struct TenantResolution
{
    private TenantResolution(string? tenantId, TenantUrl? url, string? reason) => (TenantId, Url, Reason) = (tenantId, url, reason);

    /// <summary>Gets the answer for a request that names no tenant: it is for the default one, where there is one.</summary>
    public static TenantResolution None => default;

    /// <summary>Gets the named tenant's id, which no tenant may have; null where none is named.</summary>
    public string? TenantId { get; }

    /// <summary>Gets the tenant's URL that the request came to; null where it was named otherwise.</summary>
    public TenantUrl? Url { get; }

    /// <summary>Gets why the request is refused; null where it is not.</summary>
    public string? Reason { get; }

    /// <summary>The request names this tenant.</summary>
    public static TenantResolution Found(string tenantId, TenantUrl? url = null)
    {
        ArgumentNullException.ThrowIfNull(tenantId);
        return new(tenantId, url, null);
    }

    /// <summary>The request contradicts itself or cannot be read: it is answered with 400 and this reason.</summary>
    public static TenantResolution Rejected(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new(null, null, reason);
    }
}
