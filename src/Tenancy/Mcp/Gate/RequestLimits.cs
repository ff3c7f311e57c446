using System.Globalization;
using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// Counts a request against the limits of its tenant and caller and finds its session: mostly in memory, else both in one round trip.
/// </summary>
internal class RequestLimits(RateLimiter limiter, TrafficCounts traffic)
{
    /// <summary>The requests a minute of callers without credentials, by client address.</summary>
    public const int AnonymousPerMinute = 60;

    /// <summary>
    /// The least requests a minute that keep a caller's sessions going. The budget is as large as what the caller may call, where that is
    /// more. Where a tenant asks for no credentials, each address counts as a caller.
    /// </summary>
    public const int UpkeepPerMinute = 60;

    private const int MaxSessionIdLength = 256;

    /// <summary>Counts the request, and writes what is left into the headers of its answer.</summary>
    /// <exception cref="StoreUnavailableException">The request has a session that has to be looked up, and the store is away.</exception>
    public virtual async ValueTask<RateLimitResult> AcquireAsync(McpRequest request)
    {
        var (first, second) = LimitsOf(request);
        var result = await (second is { } narrow ? AcquireAsync(request, [first, narrow]) : AcquireAsync(request, [first]));
        traffic.NotePeak(request.Tenant.Id, request.Tenant.Generation, LimitPeak.Rate, result.TenantSpent);
        if (first.IsAnonymous)
        {
            traffic.NotePeak(request.Tenant.Id, request.Tenant.Generation, LimitPeak.Anonymous, result.Spent);
        }

        WriteHeaders(request.Http.Response, first, second, result);
        return request.HasSessionHeader && !HasSession(request) ? result with { IsOwnSession = false } : result;
    }

    /// <summary>
    /// Whether the message of a request that is beyond its limits is read all the same, to take it where it runs nothing: an answer to a
    /// question that a call waits for, or the cancellation of that call. It is small and of a session of the caller's, and each that is
    /// read counts, whatever it turns out to be.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The session has to be looked up, and the store is away.</exception>
    public virtual async ValueTask<bool> MayReadBeyondAsync(McpRequest request) =>
        HasSession(request)
        && !request.IsModern
        && HttpMethods.IsPost(request.Http.Request.Method)
        && request.Http.Request.ContentLength <= BodyBudgets.Free
        && await AcquireAsync(request, [UpkeepLimitOf(request)]) is { IsAllowed: true, IsOwnSession: true };

    /// <summary>Leaves out what the headers of the answer would say of limits that do not count the request.</summary>
    public static void RemoveHeaders(HttpResponse response)
    {
        response.Headers.Remove("RateLimit-Policy");
        response.Headers.Remove("RateLimit");
    }

    /// <summary>Takes back that the request was counted.</summary>
    public virtual async ValueTask GiveBackAsync(McpRequest request)
    {
        var (first, second) = LimitsOf(request);
        await limiter.GiveBackAsync(request.Tenant.Id, request.Tenant.Generation, second is { } narrow ? [first, narrow] : [first]);
        RemoveHeaders(request.Http.Response);
    }

    /// <summary>
    /// Counts the request as the beginning of a connection instead. Clients begin several before they call anything, and must not be kept
    /// out by that.
    /// </summary>
    public virtual async ValueTask<RateLimitResult> ExchangeForHandshakeAsync(McpRequest request)
    {
        var handshake = HandshakeLimitOf(request);
        var giveBack = GiveBackAsync(request).AsTask();
        var result = await limiter.AcquireAsync(request.Tenant.Id, request.Tenant.Generation, handshake);
        await giveBack;
        WriteHeaders(request.Http.Response, handshake, null, result);
        return result;
    }

    /// <summary>
    /// Counts the call of a tool that has limits of its own against those. The request was counted before, and stays so: it was read, and
    /// who calls on and on over a tool's limit comes to that of its requests.
    /// </summary>
    /// <returns>Null where the message calls no tool, or one without limits of its own.</returns>
    public ValueTask<RateLimitResult?> AcquireToolAsync(McpRequest request)
    {
        // By the name as it will be read, whatever escapes it was written with.
        return
            request.Tenant.Limits.Tools is { Count: > 0 } tools
            && request.ToolName() is { } name
            && tools.TryGetValue(name, out var limits)
            && LimitsOf(request, name, limits) is { Length: > 0 } own
            ? AcquireToolAsync(request, own)
            : new((RateLimitResult?)null);
    }

    /// <summary>Seconds as headers have them: rounded up, so that who waits as long is never too early.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    // No session is a stranger's, and none is kept alive by one: not even a session that began while the tenant asked for nothing, whose
    // owner is "anonymous" as every stranger is.
    private static bool HasSession(McpRequest request) => !request.IsStranger && request.SessionId is { Length: <= MaxSessionIdLength };

    private ValueTask<RateLimitResult> AcquireAsync(McpRequest request, ReadOnlySpan<RateLimit> limits) =>
        HasSession(request)
            ? limiter.AcquireAndTouchAsync(
                request.Tenant.Id,
                request.Tenant.Generation,
                request.SessionId!,
                SessionGuard.Owner(request.Tenant, request.Caller),
                limits
            )
            : limiter.AcquireAsync(request.Tenant.Id, request.Tenant.Generation, limits);

    private async ValueTask<RateLimitResult?> AcquireToolAsync(McpRequest request, RateLimit[] limits)
    {
        var result = await limiter.AcquireAsync(request.Tenant.Id, request.Tenant.Generation, limits);
        AddHeaders(request.Http.Response, limits, result);
        return result;
    }

    // Callers without credentials have limits of the same size, but of their own: a stranger must not use up a tool for those who have
    // some.
    private static RateLimit[] LimitsOf(McpRequest request, string tool, ToolLimits limits)
    {
        var isAnonymous = request.Caller.IsAnonymous && !CallerRights.IsOpen(request.Tenant);
        var subject = isAnonymous ? ClientAddress.Of(request.Http) : request.Caller.Value;
        return (limits.RateLimit, limits.RateLimitPerCaller) switch
        {
            ({ } all, { } each) => [RateLimit.Tool(tool, isAnonymous, all), RateLimit.ToolCaller(tool, subject, each)],
            ({ } all, null) => [RateLimit.Tool(tool, isAnonymous, all)],
            (null, { } each) => [RateLimit.ToolCaller(tool, subject, each)],
            _ => [],
        };
    }

    private static (RateLimit First, RateLimit? Second) LimitsOf(McpRequest request)
    {
        if (request.Caller.IsAnonymous && !CallerRights.IsOpen(request.Tenant))
        {
            return (RateLimit.Anonymous(ClientAddress.Of(request.Http), AnonymousPerMinute), null);
        }

        // A stream and the end of a session run nothing, and come when the limit is spent, too.
        if (HasSession(request) && !HttpMethods.IsPost(request.Http.Request.Method))
        {
            return (UpkeepLimitOf(request), null);
        }

        var limits = request.Tenant.Limits;
        return (
            RateLimit.Tenant(limits.RateLimit),
            limits.RateLimitPerCaller is { } perCaller ? RateLimit.Caller(request.Caller.Value, perCaller) : null
        );
    }

    // As many as the tenant allows of calls, but of each caller's own; those without credentials are told apart by their addresses.
    private static RateLimit HandshakeLimitOf(McpRequest request)
    {
        var perMinute = request.Tenant.Limits.RateLimit;
        return !request.Caller.IsAnonymous ? RateLimit.Handshake(request.Caller.Value, perMinute)
            : CallerRights.IsOpen(request.Tenant) ? RateLimit.Handshake(ClientAddress.Of(request.Http), perMinute)
            : RateLimit.Handshake(ClientAddress.Of(request.Http), AnonymousPerMinute);
    }

    private static RateLimit UpkeepLimitOf(McpRequest request) =>
        RateLimit.Upkeep(
            request.Caller.IsAnonymous ? ClientAddress.Of(request.Http) : request.Caller.Value,
            Math.Max(RateOf(request.Tenant.Limits), UpkeepPerMinute)
        );

    private static int RateOf(TenantLimits limits) => Math.Min(limits.RateLimit, limits.RateLimitPerCaller ?? limits.RateLimit);

    // The names and forms of draft-ietf-httpapi-ratelimit-headers: structured fields (RFC 9651), times in seconds.
    private static void WriteHeaders(HttpResponse response, RateLimit first, RateLimit? second, RateLimitResult result)
    {
        response.Headers["RateLimit-Policy"] = second is { } narrow ? $"{PolicyOf(first)}, {PolicyOf(narrow)}" : PolicyOf(first);
        response.Headers["RateLimit"] = Left(result);
    }

    // A second item of each list, except that a refusal is about the limit alone that refuses.
    private static void AddHeaders(HttpResponse response, RateLimit[] limits, RateLimitResult result)
    {
        var headers = response.Headers;
        headers["RateLimit-Policy"] = string.Join(", ", limits.Select(PolicyOf).Prepend(headers["RateLimit-Policy"].ToString()));
        headers["RateLimit"] = result.IsAllowed ? $"{headers["RateLimit"]}, {Left(result)}" : Left(result);
    }

    private static string Left(RateLimitResult result) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{result.Limit.Policy}\";r={result.Remaining};t={Seconds(result.Reset)}");

    private static string PolicyOf(RateLimit limit) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{limit.Policy}\";q={limit.PerMinute};w=60");
}
