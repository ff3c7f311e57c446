namespace Tenancy.Configuration;

/// <summary>The URL of a tenant below <see cref="TenancyOptions.BaseDomain"/>.</summary>
internal static class TenantSubdomain
{
    /// <summary>The URL; null where there is no base domain.</summary>
    /// <remarks>
    /// It is https at the default port, unless the public URL is that of the base domain itself: then scheme, port and path are as there.
    /// </remarks>
    public static TenantUrl? Of(string tenantId, TenancyOptions options)
    {
        if (options.CanonicalBaseDomain is not { } domain)
        {
            return null;
        }

        var origin =
            TenantUrl.TryParse(options.PublicUrl, out var publicUrl, out _)
            && CanonicalHost.WithoutPort(publicUrl.Host).SequenceEqual(domain)
                ? publicUrl
                : null;
        return TenantUrl.TryParse($"{origin?.Scheme ?? "https"}://{tenantId}.{origin?.Host ?? domain}{origin?.Path}", out var url, out _)
            ? url
            : null;
    }
}
