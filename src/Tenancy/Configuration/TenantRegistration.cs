namespace Tenancy.Configuration;

/// <summary>A tenant to be registered, with the principals that it begins with.</summary>
public sealed record TenantRegistration
{
    /// <summary>Gets the tenant.</summary>
    public required TenantConfig Tenant { get; init; }

    /// <summary>Gets the principals whose bearer tokens the tenant accepts.</summary>
    public IReadOnlyList<PrincipalRegistration> Principals { get; init; } = [];

    /// <summary>Gets whose the tenant is at the source that gives it, such as the key of a customer. Default: it is not said.</summary>
    /// <remarks>
    /// An id may be given to another customer later. Where a source gave a tenant no more, and gives its id again, the new tenant has what
    /// the former one left only where both name the same owner. Only a source's counts.
    /// </remarks>
    public string? Owner { get; init; }

    /// <summary>Says which tenant it is, and nothing that a log must not have.</summary>
    public override string ToString() => Tenant.ToString();
}
