using Tenancy.Configuration;

namespace Tenancy.Outbound;

/// <summary>Is told of the keys that a check of a tenant has read, so that they take the place of those that serve.</summary>
internal interface ICheckedKeys
{
    /// <param name="tenant">The id of the tenant.</param>
    /// <param name="authentication">What was checked, which need not be in service.</param>
    /// <param name="keys">The keys.</param>
    void Learn(string tenant, TenantAuthentication authentication, IssuerKeySet keys);
}
