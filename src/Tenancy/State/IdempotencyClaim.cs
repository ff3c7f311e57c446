namespace Tenancy.State;

/// <summary>What became of the wish to run a request.</summary>
internal abstract record IdempotencyClaim
{
    private IdempotencyClaim() { }

    /// <summary>It is this caller's to run, until the lease ends.</summary>
    internal sealed record Claimed(IdempotencyLease Lease) : IdempotencyClaim;

    /// <summary>It was done before: this is the answer.</summary>
    internal sealed record Replay(ReadOnlyMemory<byte> Response) : IdempotencyClaim;

    /// <summary>
    /// It is being done. The longer it takes already, the later another look is worth while; when its lease ends at the latest.
    /// </summary>
    internal sealed record InFlight(TimeSpan RetryAfter) : IdempotencyClaim;

    /// <summary>The key stands for another request.</summary>
    internal sealed record Conflict : IdempotencyClaim;

    /// <summary>The key was used, too long ago to know the answer.</summary>
    internal sealed record Expired : IdempotencyClaim;

    /// <summary>The caller uses too many new keys for this account.</summary>
    internal sealed record TooManyInserts(TimeSpan RetryAfter) : IdempotencyClaim;

    /// <summary>There are as many records or bytes as there may be: of the tenant, or of this caller of it.</summary>
    internal sealed record StorageFull(TimeSpan RetryAfter, bool IsShare) : IdempotencyClaim;
}
