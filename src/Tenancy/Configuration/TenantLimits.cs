using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;

namespace Tenancy.Configuration;

/// <summary>The quotas of one tenant.</summary>
/// <param name="MaxClients">The most OAuth clients that may be listed. Default: 100.</param>
/// <param name="MaxSessions">The most MCP sessions at a time. Default: 1,000.</param>
/// <param name="RateLimit">The requests per minute, all of which may come at once. Default: 1,000.</param>
/// <param name="RateLimitPerCaller">The requests per minute of one caller. Default: as many as the tenant's.</param>
/// <param name="MaxConcurrentCalls">The most calls that one node works on at a time. Default: 64.</param>
/// <param name="MaxDocumentBytes">What documents may take up. Default: 256 MiB.</param>
/// <param name="MaxDocumentSize">What one document may have. Default: 262,144.</param>
/// <param name="MaxIdempotencyRecords">The most idempotency keys that are remembered at a time. Default: 100,000.</param>
/// <param name="MaxIdempotencyBytes">What the answers that are kept for idempotency keys may take up. Default: 256 MiB.</param>
/// <param name="IdempotencyInserts">
/// The new idempotency keys that one caller may use for one account in a second, over 60 seconds. Default: 60.
/// </param>
/// <param name="IdempotencyInsertBurst">
/// The new idempotency keys that one caller may use for one account in a second, over 10 seconds. Default: 300.
/// </param>
/// <param name="Tools">What single tools have beside the limits of the tenant, by their names.</param>
// Parameters and not properties: generated serializers pass 0 for a property of an init accessor that a JSON text leaves out.
//
// Each has a bound, because what it allows costs a node or the store something that other tenants share. Lists of clients and sessions are
// gone through within the store, while everybody else waits. Requests are counted by the microsecond. Bytes and records only take up room.
public sealed record TenantLimits(
    [property: Range(1, 10_000)] int MaxClients = 100,
    [property: Range(1, 100_000)] int MaxSessions = 1000,
    [property: Range(1, 60_000_000), Unit("requests per minute")] int RateLimit = 1000,
    [property: Range(1, 60_000_000), Unit("requests per minute")] int? RateLimitPerCaller = null,
    [property: Range(1, 10_000)] int MaxConcurrentCalls = 64,
    [property: Range(1, 1L << 40), Unit("bytes")] long MaxDocumentBytes = TenantLimits.DefaultMaxDocumentBytes,
    [property: Range(1024, 1024 * 1024), Unit("bytes")] int MaxDocumentSize = TenantLimits.DefaultMaxDocumentSize,
    [property: Range(1, 100_000_000)] int MaxIdempotencyRecords = TenantLimits.DefaultMaxIdempotencyRecords,
    [property: Range(1, 1L << 40), Unit("bytes")] long MaxIdempotencyBytes = TenantLimits.DefaultMaxIdempotencyBytes,
    [property: Range(1, 10_000), Unit("keys per second")] int IdempotencyInserts = TenantLimits.DefaultIdempotencyInserts,
    [property: Range(1, 10_000), Unit("keys per second")] int IdempotencyInsertBurst = TenantLimits.DefaultIdempotencyInsertBurst,
    IReadOnlyDictionary<string, ToolLimits>? Tools = null
)
{
    /// <summary>What a tenant has that says nothing of its limits, where <c>Tenancy:Defaults</c> says nothing either.</summary>
    internal static readonly TenantLimits Default = new();

    internal const long DefaultMaxDocumentBytes = 256L * 1024 * 1024;
    internal const int DefaultMaxDocumentSize = 256 * 1024;
    internal const int DefaultMaxIdempotencyRecords = 100_000;
    internal const long DefaultMaxIdempotencyBytes = 256L * 1024 * 1024;
    internal const int DefaultIdempotencyInserts = 60;
    internal const int DefaultIdempotencyInsertBurst = 300;

    /// <summary>Gets what single tools have beside the limits of the tenant, by their names.</summary>
    // A copy, by exact names: nobody changes it afterwards, and a name in another case is the name of another tool.
    [MaxLength(1000)]
    public IReadOnlyDictionary<string, ToolLimits>? Tools { get; init; } = Tools?.ToFrozenDictionary(StringComparer.Ordinal);
}

/// <summary>What one tool of a tenant has beside the limits of the tenant. A call has to be within all of them.</summary>
/// <param name="RateLimit">The calls per minute, all of which may come at once. Default: as many as the tenant's.</param>
/// <param name="RateLimitPerCaller">The calls per minute of one caller. Default: as many as the tool's.</param>
public sealed record ToolLimits(
    [property: Range(1, 60_000_000), Unit("calls per minute")] int? RateLimit = null,
    [property: Range(1, 60_000_000), Unit("calls per minute")] int? RateLimitPerCaller = null
);
