using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Checks what an admin wrote of a tenant, and fills in what was left out.</summary>
internal sealed class TenantConfigRules(IOptions<TenancyOptions> options, IPlatformNames platforms)
{
    private readonly TenancyOptions _options = options.Value;
    private readonly TenantConfigValidator _validator = new(options.Value, platforms.Names);

    /// <summary>Gives the configuration in which nothing is left out.</summary>
    /// <exception cref="TenantConfigException">It has mistakes.</exception>
    public TenantConfig Complete(TenantConfig tenant)
    {
        if (_validator.Validate(tenant) is { Count: > 0 } errors)
        {
            throw new TenantConfigException(errors);
        }

        return tenant.ToConfig() with
        {
            Name = tenant.Name ?? tenant.Id,
            Authentication = tenant.Authentication ?? _options.Defaults.Authentication,
            Limits = tenant.Limits ?? _options.Defaults.Limits,
            Platform = tenant.Platform ?? _options.Defaults.Platform ?? platforms.Names[0],
            Urls = [.. tenant.Urls.Select(text => TenantUrl.TryParse(text, out var url, out _) ? url.ToString() : text)],
        };
    }
}
