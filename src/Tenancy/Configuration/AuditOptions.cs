using System.ComponentModel.DataAnnotations;

namespace Tenancy.Configuration;

/// <summary>How much of what was done and refused is kept: <c>Tenancy:Audit</c>. Beyond it the oldest entries go.</summary>
public sealed class AuditOptions
{
    /// <summary>Gets or sets the most entries of the audit, of all tenants.</summary>
    /// <value>Default: 100,000.</value>
    [Range(1000, 10_000_000), Unit("entries")]
    public int MaxEntries { get; set; } = 100_000;

    /// <summary>Gets or sets the most entries of the audit of one tenant, so that none pushes out the others'.</summary>
    /// <value>Default: 10,000.</value>
    [Range(100, 10_000_000), Unit("entries")]
    public int MaxEntriesPerTenant { get; set; } = 10_000;

    /// <summary>Gets or sets the most entries of refused requests, each of which counts those of a minute.</summary>
    /// <value>Default: 50,000.</value>
    [Range(1000, 10_000_000), Unit("entries")]
    public int MaxRefusals { get; set; } = 50_000;

    /// <summary>Gets or sets what the entries of each of the two may take up.</summary>
    /// <value>Default: 128 MiB.</value>
    [Range(1024 * 1024, double.PositiveInfinity), Unit("bytes")]
    public long MaxBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>Gets or sets how many days entries are kept.</summary>
    /// <value>Default: 400.</value>
    [Range(1, 4000), Unit("days")]
    public int Days { get; set; } = 400;
}
