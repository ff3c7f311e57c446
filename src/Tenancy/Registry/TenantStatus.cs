using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>A tenant as an admin sees it, at one moment.</summary>
public sealed record TenantStatus
{
    /// <summary>Gets the tenant's configuration, defaults filled in.</summary>
    public required TenantConfig Config { get; init; }

    /// <summary>Gets the version of the configuration; a higher one is newer, across all tenants.</summary>
    public required long Version { get; init; }

    /// <summary>Gets when the tenant was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets the tenant's health.</summary>
    public required TenantHealth Health { get; init; }

    /// <summary>Gets why the tenant is not healthy; null where it is.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets when the tenant was last validated; null where it never was.</summary>
    public DateTimeOffset? LastCheckedAt { get; init; }
}
