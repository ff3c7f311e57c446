using System.ComponentModel.DataAnnotations;

namespace Tenancy.Configuration;

/// <summary>How much is kept of what tenants used: <c>Tenancy:Usage</c>.</summary>
public sealed class UsageOptions
{
    internal const int MaxDays = 4000;

    /// <summary>Gets or sets how many days it is kept.</summary>
    /// <value>Default: 400.</value>
    [Range(1, MaxDays), Unit("days")]
    public int Days { get; set; } = 400;

    /// <summary>
    /// Gets or sets the most days of deleted tenants that are kept, counted over all of them; beyond it the oldest go.
    /// </summary>
    /// <value>Default: 100,000.</value>
    [Range(1000, 10_000_000), Unit("days of tenants")]
    public int MaxDeleted { get; set; } = 100_000;
}
