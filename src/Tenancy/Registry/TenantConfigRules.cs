using System.Collections.Frozen;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Checks what an admin wrote of a tenant, and fills in what was left out.</summary>
internal sealed class TenantConfigRules(IOptions<TenancyOptions> options, IPlatformNames platforms)
{
    private readonly TenancyOptions _options = options.Value;
    private readonly TenantConfigValidator _validator = new(options.Value, platforms.Names, platforms.ToolsOf);

    /// <summary>Gives the configuration in which nothing is left out.</summary>
    /// <exception cref="TenantConfigException">It has mistakes.</exception>
    public TenantConfig Complete(TenantConfig tenant)
    {
        if (_validator.Validate(tenant) is { Count: > 0 } errors)
        {
            throw new TenantConfigException(errors);
        }

        var platform = tenant.Platform ?? _options.Defaults.Platform ?? platforms.Names[0];
        return tenant.ToConfig() with
        {
            Name = tenant.Name ?? tenant.Id,
            Authentication = tenant.Authentication ?? _options.Defaults.Authentication,
            Limits = tenant.Limits ?? DefaultLimits(platform),
            Platform = platform,
            Urls = [.. tenant.Urls.Select(text => TenantUrl.TryParse(text, out var url, out _) ? url.ToString() : text)],
        };
    }

    // The defaults are for all platforms, and a platform need not have all tools that they name.
    private TenantLimits DefaultLimits(string platform)
    {
        var limits = _options.Defaults.Limits;
        return limits.Tools is not { Count: > 0 } tools
            ? limits
            : limits with
            {
                Tools = tools.Where(tool => platforms.ToolsOf(platform).Contains(tool.Key)).ToFrozenDictionary(StringComparer.Ordinal),
            };
    }
}
