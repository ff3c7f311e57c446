using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>The rate limits of one tenant. They are given at each call, so that a change counts from the next call on.</summary>
internal sealed class RateLimiter(RedisConnection redis, LocalRateLimiter local, TenantId tenant)
{
    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Counts a request against all limits or, where one refuses, none. While the store is away this node counts for itself.</summary>
    public async ValueTask<RateLimitResult> AcquireAsync(params RateLimit[] limits)
    {
        try
        {
            return await EvaluateAsync(limits, [], []).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            return local.Acquire(tenant, limits);
        }
    }

    /// <summary>Counts a request, and makes its session live its full time again where the request may go on and the session is the caller's.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, and with it all sessions.</exception>
    public async ValueTask<RateLimitResult> AcquireAndTouchAsync(string sessionId, SessionOwner owner, params RateLimit[] limits)
    {
        var hash = TenantKeyspace.Hash(sessionId);
        return await EvaluateAsync(limits, [_keys.Session(hash), _keys.Sessions], [owner.Entry(hash), owner.Text, (long)SessionStore.Lifetime.TotalMilliseconds]).ConfigureAwait(false);
    }

    /// <summary>Takes back that a request was counted.</summary>
    public async ValueTask GiveBackAsync(params RateLimit[] limits)
    {
        try
        {
            await redis.EvaluateAsync(
                StoreScript.RateLimitGiveBack, [.. limits.Select(limit => _keys.RateLimit(limit.Policy, limit.SubjectHash))], [redis.ClockOffset]).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            local.GiveBack(tenant, limits);
        }
    }

    private async Task<RateLimitResult> EvaluateAsync(RateLimit[] limits, StoreKey[] sessionKeys, RedisValue[] session)
    {
        var keys = new StoreKey[limits.Length + sessionKeys.Length];
        var arguments = new RedisValue[2 + (2 * limits.Length) + session.Length];
        (arguments[0], arguments[1]) = (limits.Length, redis.ClockOffset);
        for (var i = 0; i < limits.Length; i++)
        {
            keys[i] = _keys.RateLimit(limits[i].Policy, limits[i].SubjectHash);
            (arguments[2 + (2 * i)], arguments[3 + (2 * i)]) = (limits[i].Interval, limits[i].PerMinute);
        }

        sessionKeys.CopyTo(keys, limits.Length);
        session.CopyTo(arguments, 2 + (2 * limits.Length));
        var answer = (long[])(await redis.EvaluateAsync(StoreScript.RateLimit, keys, arguments).ConfigureAwait(false))!;
        var limit = limits[answer[1] - 1];
        return answer[0] == 1
            ? new(true, limit, (int)answer[2], TimeSpan.Zero, TimeSpan.FromMilliseconds(answer[3])) { IsOwnSession = answer[4] < 0 ? null : answer[4] == 1 }
            : new(false, limit, 0, TimeSpan.FromMilliseconds(answer[2]), TimeSpan.FromMilliseconds(answer[3]));
    }
}
