using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Testing;

/// <summary>
/// A tenant as a request sees it, for the unit tests of token validators, middleware and listeners: without a server, a store and a
/// platform.
/// </summary>
public static class TestTenant
{
    /// <summary>Makes a healthy tenant. What its configuration leaves out is as on a server without settings.</summary>
    /// <param name="tenant">The tenant. Its id and its URLs are read; nothing else is checked.</param>
    /// <param name="version">The version of its configuration.</param>
    /// <exception cref="FormatException">The id is none that a tenant can have; the message says why.</exception>
    public static TenantModel Create(TenantConfig tenant, long version = 1)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var defaults = new TenantDefaults();
        var record = new TenantRecord
        {
            Config = tenant with
            {
                Name = tenant.Name ?? tenant.Id,
                Authentication = tenant.Authentication ?? defaults.Authentication,
                Limits = tenant.Limits ?? defaults.Limits,
            },
            Version = version,
            CreatedAt = DateTimeOffset.UnixEpoch,
            SessionEpoch = "test",
            Origin = TenantOrigin.Admin,
            Check = new(TenantHealth.Healthy, Reason: null, DateTimeOffset.UnixEpoch),
        };
        return new(record, platform: null);
    }

    /// <summary>Makes what a request to a tenant carries: <c>context.Features.Set(TestTenant.Feature(tenant))</c>.</summary>
    /// <param name="tenant">The tenant, such as one of <see cref="Create"/>.</param>
    /// <param name="url">The tenant's URL that the request came to; null where the tenant was named otherwise.</param>
    public static ITenantFeature Feature(TenantModel tenant, TenantUrl? url = null)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return new TenantFeature(tenant, url);
    }
}
