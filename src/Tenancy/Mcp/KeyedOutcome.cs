namespace Tenancy.Mcp;

/// <summary>What a request with an idempotency key came to.</summary>
public abstract record KeyedOutcome
{
    private KeyedOutcome() { }

    /// <summary>It is done.</summary>
    /// <param name="Answer">The answer as it is stored.</param>
    /// <param name="IsReplay">Whether an earlier request had it already.</param>
    public sealed record Done(ReadOnlyMemory<byte> Answer, bool IsReplay) : KeyedOutcome;

    /// <summary>It is being done, for another try of it.</summary>
    /// <param name="RetryAfter">When another look is worth while: the later, the longer it takes already.</param>
    public sealed record InFlight(TimeSpan RetryAfter) : KeyedOutcome;

    /// <summary>The handler had no answer when its time was over. Another try may have the key.</summary>
    public sealed record TookTooLong : KeyedOutcome;

    /// <summary>The key stands for another request.</summary>
    public sealed record Conflict : KeyedOutcome;

    /// <summary>The key was used, too long ago to know the answer.</summary>
    public sealed record Expired : KeyedOutcome;

    /// <summary>The caller uses too many new keys for this account.</summary>
    /// <param name="RetryAfter">When it may use the next.</param>
    public sealed record TooManyKeys(TimeSpan RetryAfter) : KeyedOutcome;

    /// <summary>
    /// As many answers for keys are kept as may be. That lasts: they are kept for <see cref="KeyedCalls.ReplayTime"/>.
    /// </summary>
    /// <param name="RetryAfter">When the oldest go.</param>
    /// <param name="IsShare">Whether it is this caller that keeps as many as one may, and not its tenant.</param>
    public sealed record StorageFull(TimeSpan RetryAfter, bool IsShare) : KeyedOutcome;
}
