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
}
