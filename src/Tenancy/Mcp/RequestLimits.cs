using System.Globalization;
using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Counts a request against the limits of its tenant and caller and, in the same round trip, finds its session.</summary>
internal class RequestLimits(RedisConnection redis, LocalRateLimiter local)
{
    /// <summary>The requests a minute of callers without credentials, by client address.</summary>
    public const int AnonymousPerMinute = 60;

    private const int MaxSessionIdLength = 256;

    /// <summary>Counts the request, and writes what is left into the headers of its answer.</summary>
    /// <exception cref="StoreUnavailableException">The request has a session, and the store is away.</exception>
    public virtual async ValueTask<RateLimitResult> AcquireAsync(HttpContext context, TenantModel tenant, CallerIdentity caller)
    {
        var limiter = new RateLimiter(redis, local, tenant.Id);
        var limits = LimitsOf(context, tenant, caller);
        var result = context.Request.Headers[SessionGuard.HeaderName] switch
        {
            { Count: 0 } => await limiter.AcquireAsync(limits),
            [{ Length: > 0 and <= MaxSessionIdLength } sessionId] => await limiter.AcquireAndTouchAsync(sessionId, SessionGuard.Owner(tenant, caller), limits),
            _ => (await limiter.AcquireAsync(limits)) with { IsOwnSession = false },
        };
        WriteHeaders(context.Response, limits, result);
        return result;
    }

    private static RateLimit[] LimitsOf(HttpContext context, TenantModel tenant, CallerIdentity caller)
    {
        var limits = tenant.Config.Limits ?? new TenantLimits();
        if (caller.IsAnonymous && !ToolContextFactory.IsOpen(tenant))
        {
            return [RateLimit.Anonymous(ClientAddress.Of(context), AnonymousPerMinute)];
        }

        return limits.RateLimitPerCaller is { } perCaller
            ? [RateLimit.Tenant(limits.RateLimit), RateLimit.Caller(caller.Value, perCaller)]
            : [RateLimit.Tenant(limits.RateLimit)];
    }

    // The names and forms of draft-ietf-httpapi-ratelimit-headers: structured fields (RFC 9651), times in seconds.
    private static void WriteHeaders(HttpResponse response, RateLimit[] limits, RateLimitResult result)
    {
        response.Headers["RateLimit-Policy"] = limits is [var only] ? PolicyOf(only) : string.Join(", ", limits.Select(PolicyOf));
        response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{result.Limit.Policy}\";r={result.Remaining};t={Seconds(result.Reset)}");
    }

    private static string PolicyOf(RateLimit limit) => string.Create(CultureInfo.InvariantCulture, $"\"{limit.Policy}\";q={limit.PerMinute};w=60");

    /// <summary>Seconds as headers have them: rounded up, so that who waits as long is never too early.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
