using Tenancy.Configuration;

namespace Tenancy.Outbound;

/// <summary>Is told of the keys that a check of a tenant has read, so that they take the place of those that serve.</summary>
internal interface ICheckedKeys
{
    /// <summary>Gives the time at which a check begins to read keys.</summary>
    long Begin();

    /// <summary>Takes what it has read.</summary>
    /// <param name="tenant">The id of the tenant.</param>
    /// <param name="authentication">What was checked, which need not be in service.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="begunAt">When it began.</param>
    void Learn(string tenant, TenantAuthentication authentication, IssuerKeySet keys, long begunAt);
}
