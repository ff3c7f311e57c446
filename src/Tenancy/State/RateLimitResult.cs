namespace Tenancy.State;

/// <summary>Whether a request may go on, and what the RateLimit headers say.</summary>
/// <param name="IsAllowed">Whether the request was counted; one that is refused costs nothing.</param>
/// <param name="Limit">The limit that refused, else the one with the fewest requests left.</param>
/// <param name="Remaining">
/// The requests that may come at once: what this node has at hand, and what the store had left when it was asked last.
/// </param>
/// <param name="RetryAfter">When the next request may come; zero where this one may go on.</param>
/// <param name="Reset">When all of the limit is there again.</param>
internal readonly record struct RateLimitResult(bool IsAllowed, RateLimit Limit, int Remaining, TimeSpan RetryAfter, TimeSpan Reset)
{
    /// <summary>
    /// Whether the session that was named is this caller's, and lives its full time again; null where none was named, or the request is
    /// refused. Yes is an answer that may be a second old.
    /// </summary>
    public bool? IsOwnSession { get; init; }

    /// <summary>
    /// How much of the limit for all callers of the tenant is spent, in per cent, as far as this node knows; zero where the request does
    /// not count against it, or that is not known.
    /// </summary>
    public int TenantSpent { get; init; }

    /// <summary>Gets how much of <see cref="Limit"/> is spent, in per cent, as far as this node knows.</summary>
    public int Spent => IsAllowed ? SpentOf(Limit, Remaining) : 100;

    /// <summary>The same with what is left of one more limit that counts the request.</summary>
    public RateLimitResult With(RateLimit limit, LimitRest rest)
    {
        var spent = limit.IsTenants ? SpentOf(limit, rest.Left) : TenantSpent;
        return rest.Left < Remaining
            ? this with
            {
                Limit = limit,
                Remaining = rest.Left,
                Reset = rest.Reset,
                TenantSpent = spent,
            }
            : this with
            {
                TenantSpent = spent,
            };
    }

    private static int SpentOf(RateLimit limit, int left) => (int)(100L * Math.Max(0, limit.PerMinute - left) / limit.PerMinute);
}
