using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>
/// Refuses tokens of an address that has shown many bad ones to a tenant, before they cost a signature check, a fetch of keys or a round trip. Only what
/// turned out bad is counted; who showed a good token lately is not asked.
/// </summary>
internal sealed class FailedChecks(LocalRateLimiter limiter)
{
    private const string Policy = "failed-checks";

    /// <summary>The bad tokens a minute that one address may show to one tenant; all of them may come at once.</summary>
    public int PerMinute { get; init; } = 60;

    /// <summary>Whether a token may be checked; if not, the request learns when it may.</summary>
    public bool MayCheck(HttpContext context, TenantId tenant)
    {
        var wait = limiter.Peek(tenant, Limit(context));
        if (wait > TimeSpan.Zero)
        {
            context.Features.Set(new TooManyFailedChecks(wait));
        }

        return wait <= TimeSpan.Zero;
    }

    /// <summary>Counts a token that was checked and is bad.</summary>
    public void Count(HttpContext context, TenantId tenant) => limiter.Acquire(tenant, [Limit(context)]);

    private RateLimit Limit(HttpContext context) => new(Policy, ClientAddress.Of(context), PerMinute);
}

/// <summary>A request whose token was not even looked at.</summary>
/// <param name="RetryAfter">When one would be.</param>
internal sealed record TooManyFailedChecks(TimeSpan RetryAfter);
