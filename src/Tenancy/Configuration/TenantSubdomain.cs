namespace Tenancy.Configuration;

/// <summary>The URL of a tenant below <see cref="TenancyOptions.BaseDomain"/>, and that of the domain itself.</summary>
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

        var origin = PublicUrlAt(domain, options);
        return TenantUrl.TryParse($"{origin?.Scheme ?? "https"}://{tenantId}.{origin?.Host ?? domain}{origin?.Path}", out var url, out _)
            ? url
            : null;
    }

    /// <summary>
    /// The URL of the base domain itself, where tenants that are named by path are called, too: https at the default port. Null where there
    /// is no base domain, and where the public URL is at it, which says more.
    /// </summary>
    public static TenantUrl? DomainOf(TenancyOptions options) =>
        options.CanonicalBaseDomain is { } domain
        && PublicUrlAt(domain, options) is null
        && TenantUrl.TryParse($"https://{domain}", out var url, out _)
            ? url
            : null;

    private static TenantUrl? PublicUrlAt(string domain, TenancyOptions options) =>
        TenantUrl.TryParse(options.PublicUrl, out var publicUrl, out _) && CanonicalHost.WithoutPort(publicUrl.Host).SequenceEqual(domain)
            ? publicUrl
            : null;
}
