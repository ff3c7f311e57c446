using Tenancy.Adcp;

namespace Adcp_TenantServer;

/// <summary>What the handlers see of every platform.</summary>
public interface ISeller : ISellerProfile
{
    /// <summary>The products that this tenant sells, with its own prices.</summary>
    IReadOnlyList<Product> Products { get; }
}
