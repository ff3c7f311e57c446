using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Is told of every change of a tenant, in the order of the changes and soon after requests see them.</summary>
/// <remarks>
/// Add it with <c>AddTenantChangeListener&lt;YourListener&gt;()</c> on the builder. It is called on a thread of its own, one change after
/// the other: one that is slow learns of later changes later, and holds up nobody else. What it throws is logged.
/// </remarks>
public interface ITenantChangeListener
{
    /// <summary>A tenant has changed.</summary>
    void OnTenantChanged(TenantChange change);
}

/// <summary>A change of a tenant.</summary>
/// <param name="Kind">What changed.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Before">The tenant before; null where it is new.</param>
/// <param name="After">The tenant after; null where it is gone.</param>
public sealed record TenantChange(TenantChangeKind Kind, TenantId TenantId, TenantModel? Before, TenantModel? After);

/// <summary>What changed of a tenant.</summary>
public enum TenantChangeKind
{
    /// <summary>It is new on this node.</summary>
    Registered,

    /// <summary>Its configuration changed, and it is not suspended by the change.</summary>
    Updated,

    /// <summary>Its health, or the reason of it, changed.</summary>
    Health,

    /// <summary>An admin suspended it.</summary>
    Suspended,

    /// <summary>It is gone from this node.</summary>
    Removed,
}
