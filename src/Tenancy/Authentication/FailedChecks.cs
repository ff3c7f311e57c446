using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>
/// Refuses tokens of an address that has shown many bad ones to a tenant, before they cost a signature check, a fetch of keys or a round
/// trip. Only what turned out bad is counted; who showed a good token lately is not asked.
/// </summary>
/// <remarks>
/// A check takes its place in the budget before it begins, and gives it back where the token is good: otherwise any number of bad ones
/// could be under way at once. Where all that is left is taken by checks under way, the next one waits for their outcome: many callers
/// behind one address, all good, get through.
/// </remarks>
internal sealed class FailedChecks(LocalRateLimiter limiter)
{
    private const string Policy = "failed-checks";

    // With so many waiting already, the next one is taken for a part of a flood, and refused.
    private const int MaxWaiting = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(TenantId Tenant, string Address), UnderWay> _underWay = [];

    /// <summary>The bad tokens a minute that one address may show to one tenant; all of them may come at once.</summary>
    public int PerMinute { get; init; } = 60;

    /// <summary>Begins to check a token; if it may not be checked, the request learns when it may.</summary>
    /// <returns>False where it may not. Else <see cref="End"/> has to be called with the outcome.</returns>
    public async ValueTask<bool> TryBeginAsync(HttpContext context, TenantId tenant)
    {
        var key = (tenant, ClientAddress.Of(context));
        while (true)
        {
            Task ending;
            lock (_lock)
            {
                var result = limiter.Acquire(tenant, [Limit(key.Item2)]);
                if (result.IsAllowed)
                {
                    GetOrAdd(key).Checks++;
                    return true;
                }

                if (!_underWay.TryGetValue(key, out var underWay) || underWay.Waiting >= MaxWaiting)
                {
                    Refuse(context, result.RetryAfter);
                    return false;
                }

                underWay.Waiting++;
                ending = underWay.NextEnd.Task;
            }

            await ending.WaitAsync(context.RequestAborted);
        }
    }

    /// <summary>Ends a check. Only a bad token stays counted.</summary>
    public void End(HttpContext context, TenantId tenant, bool isGood)
    {
        var key = (tenant, ClientAddress.Of(context));
        TaskCompletionSource ended;
        lock (_lock)
        {
            if (isGood)
            {
                limiter.GiveBack(tenant, [Limit(key.Item2)]);
            }

            var underWay = _underWay[key];
            ended = underWay.NextEnd;
            (underWay.NextEnd, underWay.Waiting) = (new(TaskCreationOptions.RunContinuationsAsynchronously), 0);
            if (--underWay.Checks == 0)
            {
                _underWay.Remove(key);
            }
        }

        ended.TrySetResult();
    }

    /// <summary>Counts a token that is bad for certain, and tells the request where there were too many.</summary>
    public void Count(HttpContext context, TenantId tenant)
    {
        var limit = Limit(ClientAddress.Of(context));
        var wait = limiter.Peek(tenant, limit);
        if (wait > TimeSpan.Zero)
        {
            Refuse(context, wait, wasChecked: true);
        }

        limiter.Acquire(tenant, [limit]);
    }

    private static void Refuse(HttpContext context, TimeSpan retryAfter, bool wasChecked = false) =>
        context.Features.Set(new TooManyFailedChecks(retryAfter, wasChecked));

    private UnderWay GetOrAdd((TenantId Tenant, string Address) key)
    {
        if (!_underWay.TryGetValue(key, out var underWay))
        {
            _underWay.Add(key, underWay = new());
        }

        return underWay;
    }

    private RateLimit Limit(string address) => new(Policy, address, PerMinute);

    /// <summary>The checks of one address's tokens at one tenant.</summary>
    private sealed class UnderWay
    {
        public int Checks { get; set; }

        public int Waiting { get; set; }

        public TaskCompletionSource NextEnd { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A request from an address that has shown too many bad tokens.</summary>
/// <param name="RetryAfter">When a token of that address would be checked again.</param>
/// <param name="WasChecked">Whether this request's own token was checked all the same, and found bad; else nobody has looked at it.</param>
internal sealed record TooManyFailedChecks(TimeSpan RetryAfter, bool WasChecked);
