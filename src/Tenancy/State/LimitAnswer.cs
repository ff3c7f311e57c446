namespace Tenancy.State;

/// <summary>What a node asks for one limit, for requests that wait.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Held">How many of the requests the node's slice has a share for.</param>
/// <param name="Wanted">How many more the node would like to have at hand.</param>
/// <param name="Returned">How many the node had no use for.</param>
/// <param name="LentIn">The second in which those were lent; 0 for requests that were counted alone.</param>
internal readonly record struct LimitAsk(RateLimit Limit, int Held, int Wanted, int Returned, long LentIn);

/// <summary>What became of one limit.</summary>
/// <param name="Lent">The requests that the node may spend on its own within the next second.</param>
/// <param name="Left">The requests that may come at once, beside those.</param>
/// <param name="Reset">When all of the limit is there again, if all that was lent is spent.</param>
internal readonly record struct LimitGrant(int Lent, int Left, TimeSpan Reset);

/// <summary>What became of requests that have the same limits.</summary>
/// <param name="Through">How many may go on; the others are refused.</param>
/// <param name="Time">When that was, in microseconds.</param>
/// <param name="Refusing">The number of the limit that refuses the others, from 0; -1 where none does.</param>
/// <param name="RetryAfter">When one of the others may come.</param>
/// <param name="Reset">When all of that limit is there again.</param>
/// <param name="Grants">The limits, in the order in which they were asked for.</param>
internal sealed record LimitAnswer(int Through, long Time, int Refusing, TimeSpan RetryAfter, TimeSpan Reset, LimitGrant[] Grants)
{
    /// <summary>For each session that was named: whether it is its caller's; null where no request that names it goes on.</summary>
    public bool?[] Sessions { get; init; } = [];

    /// <summary>For each account that was named: the version of its documents; 0 where none stands.</summary>
    public long[] Versions { get; init; } = [];
}

/// <summary>A session that requests name.</summary>
/// <param name="Session">The session.</param>
/// <param name="Handle">The hash of its id.</param>
/// <param name="First">The number of the first request that names it, from 1.</param>
internal readonly record struct NamedSession(SessionUse Session, string Handle, int First);
