namespace Tenancy.Configuration;

/// <summary>Checks the quotas of a tenant. What they allow costs a node or the store something that other tenants share, so that each has a bound.</summary>
internal static class TenantLimitsValidator
{
    public static IEnumerable<TenantConfigError> Validate(TenantLimits limits) =>
        Bounds(limits)
            .Where(bound => bound.Value < 1 || bound.Value > bound.Most)
            .Select(bound => new TenantConfigError($"limits.{bound.Name}", FormattableString.Invariant($"is {bound.Value}: use a whole number from 1 to {bound.Most}")));

    // Lists of clients and sessions are gone through within the store, while everybody else waits. Requests are counted by the microsecond. Bytes and records only take up room.
    private static (string Name, long Value, long Most)[] Bounds(TenantLimits limits) =>
    [
        ("maxClients", limits.MaxClients, 10_000),
        ("maxSessions", limits.MaxSessions, 100_000),
        ("rateLimit", limits.RateLimit, 60_000_000),
        ("rateLimitPerCaller", limits.RateLimitPerCaller ?? 1, 60_000_000),
        ("maxConcurrentCalls", limits.MaxConcurrentCalls, 10_000),
        ("maxDocumentBytes", limits.MaxDocumentBytes, 1L << 40),
        ("maxIdempotencyRecords", limits.MaxIdempotencyRecords, 100_000_000),
        ("maxIdempotencyBytes", limits.MaxIdempotencyBytes, 1L << 40),
    ];
}
