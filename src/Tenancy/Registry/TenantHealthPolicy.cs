using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>What a validation makes of a tenant's health.</summary>
internal static class TenantHealthPolicy
{
    /// <summary>
    /// A success makes the tenant healthy, and a permanent failure disables it. A transient failure changes nothing for traffic: a tenant
    /// that is served goes on being served, and one that is not stays so.
    /// </summary>
    public static TenantHealth Next(TenantHealth health, TenantValidation validation) =>
        (health, validation) switch
        {
            (_, TenantValidation.Valid) => TenantHealth.Healthy,
            (_, TenantValidation.Permanent) => TenantHealth.Disabled,
            (TenantHealth.Healthy, TenantValidation.Transient) => TenantHealth.Unverified,
            _ => health,
        };

    public static string? Reason(TenantValidation validation) =>
        validation switch
        {
            TenantValidation.Transient(var reason) => reason,
            TenantValidation.Permanent(var reason) => reason,
            _ => null,
        };
}
