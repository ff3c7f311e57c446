namespace Tenancy.Mcp;

/// <summary>A request with an idempotency key.</summary>
/// <param name="Tool">The tool's name: a key is good for one.</param>
/// <param name="Key">The key: a secret of the caller, which no log or error may hold.</param>
/// <param name="Hash">What tells the request from another one with the same key, such as <see cref="State.RequestHash.Compute"/>.</param>
/// <param name="Timeout">What the handler may take; so long, and 5 seconds for the commit, the key is claimed.</param>
public sealed record KeyedRequest(string Tool, string Key, string Hash, TimeSpan Timeout)
{
    /// <summary>
    /// Gets which exceptions of the handler are answers to the caller, and no failures: they are not logged where nobody waits any more.
    /// Default: null, none.
    /// </summary>
    public Func<Exception, bool>? IsAnswer { get; init; }

    /// <summary>
    /// Gets how many bytes the tool writes around a stored answer, at most: so much smaller than an answer may be has the stored one to be,
    /// or nothing is committed. Default: 0.
    /// </summary>
    public int EnvelopeBytes { get; init; }

    /// <summary>Says nothing of the key.</summary>
    public override string ToString() => $"{Tool} {Hash}";
}
