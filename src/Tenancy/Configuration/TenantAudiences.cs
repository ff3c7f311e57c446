namespace Tenancy.Configuration;

/// <summary>What a token for a tenant may name as its audience: the URLs of the tenant's endpoints, and what an admin added.</summary>
internal static class TenantAudiences
{
    /// <summary>The audiences, each once. Empty where the tenant has neither an endpoint of its own nor a configured audience.</summary>
    public static IReadOnlyList<string> Of(TenantConfig tenant, TenancyOptions options) =>
        [
            .. Endpoints(tenant, options)
                .Concat((tenant.Authentication ?? options.Defaults.Authentication).Audiences)
                .Distinct(StringComparer.Ordinal),
        ];

    // An endpoint that several tenants share, because a header or a token names the tenant, is an audience of none of them, unless one
    // tenant gets the requests that name none.
    private static IEnumerable<string> Endpoints(TenantConfig tenant, TenancyOptions options)
    {
        foreach (var text in tenant.Urls)
        {
            if (TenantUrl.TryParse(text, out var url, out _))
            {
                yield return url + McpEndpoint.Path;
            }
        }

        if (TenantUrl.TryParse(options.PublicUrl, out var publicUrl, out _))
        {
            foreach (var endpoint in EndpointsAt(publicUrl, tenant, options))
            {
                yield return endpoint;
            }
        }

        if (options.Identification.HasFlag(TenantIdentification.Host) && TenantSubdomain.Of(tenant.Id, options) is { } subdomain)
        {
            yield return subdomain + McpEndpoint.Path;
        }

        if (TenantSubdomain.DomainOf(options) is { } domain)
        {
            foreach (var endpoint in EndpointsAt(domain, tenant, options))
            {
                yield return endpoint;
            }
        }
    }

    private static IEnumerable<string> EndpointsAt(TenantUrl shared, TenantConfig tenant, TenancyOptions options)
    {
        if (options.Identification.HasFlag(TenantIdentification.Path))
        {
            yield return $"{shared}/{tenant.Id}{McpEndpoint.Path}";
        }

        if (options.IsDefault(tenant.Id))
        {
            yield return shared + McpEndpoint.Path;
        }
    }
}
