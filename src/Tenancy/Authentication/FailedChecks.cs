using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>
/// Refuses tokens of an address that has shown many bad ones to a tenant, before they cost a signature check, a fetch of keys or a round trip. Only what
/// turned out bad is counted; who showed a good token lately is not asked.
/// </summary>
/// <remarks>Behind a proxy the address is the proxy's, unless the application reads forwarded headers.</remarks>
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

    private RateLimit Limit(HttpContext context) => new(Policy, Subject(context.Connection.RemoteIpAddress), PerMinute);

    // Whoever has one IPv6 address has the 64 bits behind its prefix (RFC 4291, section 2.5.1).
    private static string Subject(IPAddress? address) => address switch
    {
        null => "unknown",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)),
        _ => address.ToString(),
    };
}

/// <summary>A request whose token was not even looked at.</summary>
/// <param name="RetryAfter">When one would be.</param>
internal sealed record TooManyFailedChecks(TimeSpan RetryAfter);
