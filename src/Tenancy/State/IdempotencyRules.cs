using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>How long answers are replayed, and how many a tenant may keep.</summary>
internal sealed record IdempotencyRules
{
    /// <summary>Gets how long an answer is replayed. Default: 24 hours.</summary>
    public TimeSpan ReplayTime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Gets how far the caller's clock may be from ours: so much longer an answer is replayed. Default: 60 seconds.
    /// </summary>
    public TimeSpan Skew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets the most records of a tenant, those under way included. Default: 100,000.</summary>
    public int MaxRecords { get; init; } = TenantLimits.DefaultMaxIdempotencyRecords;

    /// <summary>
    /// Gets what the answers of a tenant may take up, in bytes; those under way when it is reached are kept, too. Default: 256 MiB.
    /// </summary>
    public long MaxBytes { get; init; } = TenantLimits.DefaultMaxIdempotencyBytes;

    /// <summary>Gets the most records of one caller. Default: half of the tenant's.</summary>
    public int MaxRecordsPerCaller { get; init; } = TenantLimits.DefaultMaxIdempotencyRecords / 2;

    /// <summary>Gets what the answers of one caller may take up, in bytes. Default: half of the tenant's.</summary>
    public long MaxBytesPerCaller { get; init; } = TenantLimits.DefaultMaxIdempotencyBytes / 2;

    /// <summary>Gets the new keys a second that one caller and account may use, over 60 seconds. Default: 60.</summary>
    public int SustainedInserts { get; init; } = TenantLimits.DefaultIdempotencyInserts;

    /// <summary>Gets the new keys a second that one caller and account may use, over 10 seconds. Default: 300.</summary>
    public int BurstInserts { get; init; } = TenantLimits.DefaultIdempotencyInsertBurst;
}
