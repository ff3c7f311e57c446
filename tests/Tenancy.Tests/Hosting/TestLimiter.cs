using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Tests.Hosting;

/// <summary>The limits of one tenant as one node has them.</summary>
internal sealed class TestLimiter(RedisConnection redis, TimeProvider time, TenantId tenant, long generation = 0)
{
    public TouchedSessions Touched { get; } = new();

    public RateLimiter Node => field ??= new(redis, new(time), Touched, time);

    public ValueTask<RateLimitResult> AcquireAsync(params ReadOnlySpan<RateLimit> limits) => Node.AcquireAsync(tenant, generation, limits);

    public ValueTask<RateLimitResult> AcquireAndTouchAsync(string sessionId, SessionOwner owner, params ReadOnlySpan<RateLimit> limits) =>
        Node.AcquireAndTouchAsync(tenant, generation, sessionId, owner, limits);

    public ValueTask GiveBackAsync(params RateLimit[] limits) => Node.GiveBackAsync(tenant, generation, limits);
}
