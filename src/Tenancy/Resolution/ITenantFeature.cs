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

/// <param name="tenant">The tenant.</param>
/// <param name="url">The URL that matched.</param>
/// <param name="held">The platform, which the request holds; null where it holds none.</param>
internal sealed class TenantFeature(TenantModel tenant, TenantUrl? url, PlatformInstance? held = null) : ITenantFeature
{
    private PlatformInstance? _held = held;

    public TenantModel Tenant { get; } = tenant;

    public TenantUrl? Url { get; } = url;

    /// <summary>
    /// Lets go of the platform: at the end of the request, or before where the request stays and no handler has a part in it.
    /// </summary>
    public ValueTask LetGoAsync() => Interlocked.Exchange(ref _held, null) is { } platform ? platform.ReleaseAsync() : default;
}
