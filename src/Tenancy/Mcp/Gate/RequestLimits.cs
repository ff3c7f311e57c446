using System.Globalization;
using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Mcp.Calls;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Gate;

/// <summary>Counts a request against the limits of its tenant and caller and, in the same round trip, finds its session.</summary>
internal class RequestLimits(RedisConnection redis, LocalRateLimiter local)
{
    /// <summary>The requests a minute of callers without credentials, by client address.</summary>
    public const int AnonymousPerMinute = 60;

    /// <summary>The connections a minute that one caller, or one address without credentials, may begin.</summary>
    public const int HandshakesPerMinute = 60;

    private const int MaxSessionIdLength = 256;

    /// <summary>Counts the request, and writes what is left into the headers of its answer.</summary>
    /// <exception cref="StoreUnavailableException">The request has a session, and the store is away.</exception>
    public virtual async ValueTask<RateLimitResult> AcquireAsync(McpRequest request)
    {
        var limiter = new RateLimiter(redis, local, request.Tenant.Id);
        var limits = LimitsOf(request);
        var result = !request.HasSessionHeader ? await limiter.AcquireAsync(limits)
            : request.SessionId is { Length: <= MaxSessionIdLength } sessionId ? await limiter.AcquireAndTouchAsync(sessionId, SessionGuard.Owner(request.Tenant, request.Caller), limits)
            : (await limiter.AcquireAsync(limits)) with { IsOwnSession = false };
        WriteHeaders(request.Http.Response, limits, result);
        return result;
    }

    /// <summary>Takes back that the request was counted.</summary>
    public virtual async ValueTask GiveBackAsync(McpRequest request)
    {
        await new RateLimiter(redis, local, request.Tenant.Id).GiveBackAsync(LimitsOf(request));
        RemoveHeaders(request.Http.Response);
    }

    /// <summary>Counts the request as the beginning of a connection instead. Clients begin several before they call anything, and must not be kept out by that.</summary>
    public virtual async ValueTask<RateLimitResult> ExchangeForHandshakeAsync(McpRequest request)
    {
        var limiter = new RateLimiter(redis, local, request.Tenant.Id);
        RateLimit[] handshake = [RateLimit.Handshake(request.Caller.IsAnonymous ? ClientAddress.Of(request.Http) : request.Caller.Value, HandshakesPerMinute)];
        var giveBack = limiter.GiveBackAsync(LimitsOf(request)).AsTask();
        var result = await limiter.AcquireAsync(handshake);
        await giveBack;
        WriteHeaders(request.Http.Response, handshake, result);
        return result;
    }

    /// <summary>Seconds as headers have them: rounded up, so that who waits as long is never too early.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private static RateLimit[] LimitsOf(McpRequest request)
    {
        var limits = request.Tenant.Config.Limits ?? new();
        if (request.Caller.IsAnonymous && !ToolContextFactory.IsOpen(request.Tenant))
        {
            return [RateLimit.Anonymous(ClientAddress.Of(request.Http), AnonymousPerMinute)];
        }

        return limits.RateLimitPerCaller is { } perCaller
            ? [RateLimit.Tenant(limits.RateLimit), RateLimit.Caller(request.Caller.Value, perCaller)]
            : [RateLimit.Tenant(limits.RateLimit)];
    }

    // The names and forms of draft-ietf-httpapi-ratelimit-headers: structured fields (RFC 9651), times in seconds.
    private static void WriteHeaders(HttpResponse response, RateLimit[] limits, RateLimitResult result)
    {
        response.Headers["RateLimit-Policy"] = limits is [var only] ? PolicyOf(only) : string.Join(", ", limits.Select(PolicyOf));
        response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{result.Limit.Policy}\";r={result.Remaining};t={Seconds(result.Reset)}");
    }

    private static void RemoveHeaders(HttpResponse response)
    {
        response.Headers.Remove("RateLimit-Policy");
        response.Headers.Remove("RateLimit");
    }

    private static string PolicyOf(RateLimit limit) => string.Create(CultureInfo.InvariantCulture, $"\"{limit.Policy}\";q={limit.PerMinute};w=60");
}
