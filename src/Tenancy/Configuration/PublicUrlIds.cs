namespace Tenancy.Configuration;

/// <summary>
/// The ids that <see cref="TenancyOptions.PublicUrl"/> takes: what is called at the URL that all tenants share would be taken for a call of
/// the tenant with such an id, or the other way round.
/// </summary>
internal static class PublicUrlIds
{
    /// <summary>Says why no tenant of this server can have an id, and how to mend it; null where the public URL does not take it.</summary>
    public static string? Explain(string id, TenancyOptions options)
    {
        if (!options.MultiTenant || !TenantUrl.TryParse(options.PublicUrl, out var url, out _))
        {
            return null;
        }

        // A proxy may take the path of the public URL off. What comes as /api/mcp then is the endpoint of the tenant 'api', or, where
        // nothing was taken off, the one that all tenants share.
        if (
            options.Identification.HasFlag(TenantIdentification.Path)
            && (url.Path == "/" + id || url.Path.StartsWith($"/{id}/", StringComparison.Ordinal))
        )
        {
            return $"'{id}' is the first part of the path of Tenancy:PublicUrl, '{url}', so that the tenant's URL may be taken for the "
                + "server's own: choose another id, or another path for Tenancy:PublicUrl";
        }

        return
            options.Identification.HasFlag(TenantIdentification.Host)
            && options.CanonicalBaseDomain is { } domain
            && CanonicalHost.WithoutPort(url.Host).SequenceEqual($"{id}.{domain}")
            ? $"'{id}.{domain}' is the host of Tenancy:PublicUrl, where every tenant can be called: choose another id, or another host "
                + "for Tenancy:PublicUrl"
            : null;
    }
}
