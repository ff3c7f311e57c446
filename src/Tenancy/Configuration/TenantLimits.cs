namespace Tenancy.Configuration;

/// <summary>The quotas of one tenant.</summary>
/// <param name="MaxClients">The most OAuth clients that may be registered. Default: 100; at most 10,000.</param>
/// <param name="MaxSessions">The most MCP sessions at a time. Default: 1,000; at most 100,000.</param>
/// <param name="RateLimit">The requests per minute over all nodes, all of which may come at once. Default: 1,000; at most 60,000,000.</param>
/// <param name="RateLimitPerCaller">The requests per minute of one caller over all nodes. Default: as many as the tenant's; at most 60,000,000.</param>
/// <param name="MaxConcurrentCalls">The most calls that one node works on at a time. Default: 64; at most 10,000.</param>
/// <param name="MaxDocumentBytes">What documents may take up, in bytes. Default: 256 MiB; at most 1 TiB.</param>
/// <param name="MaxIdempotencyRecords">The most idempotency keys that are remembered at a time. Default: 100,000; at most 100,000,000.</param>
/// <param name="MaxIdempotencyBytes">What the answers that are kept for idempotency keys may take up, in bytes. Default: 256 MiB; at most 1 TiB.</param>
public sealed record TenantLimits(
    int MaxClients = 100,
    int MaxSessions = 1000,
    int RateLimit = 1000,
    int? RateLimitPerCaller = null,
    int MaxConcurrentCalls = TenantLimits.DefaultMaxConcurrentCalls,
    long MaxDocumentBytes = TenantLimits.DefaultMaxDocumentBytes,
    int MaxIdempotencyRecords = TenantLimits.DefaultMaxIdempotencyRecords,
    long MaxIdempotencyBytes = TenantLimits.DefaultMaxIdempotencyBytes)
{
    internal const int DefaultMaxConcurrentCalls = 64;
    internal const long DefaultMaxDocumentBytes = 256L * 1024 * 1024;
    internal const int DefaultMaxIdempotencyRecords = 100_000;
    internal const long DefaultMaxIdempotencyBytes = 256L * 1024 * 1024;
}
