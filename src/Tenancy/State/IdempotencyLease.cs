namespace Tenancy.State;

/// <summary>The right to run a request. Its token fences off whoever held the right before and comes back late.</summary>
internal sealed class IdempotencyLease(
    string recordHash,
    string callerHash,
    string request,
    string token,
    string operationId,
    bool isTakenOver
)
{
    public string RecordHash => recordHash;

    /// <summary>Gets whose share of the tenant's budgets the record takes from.</summary>
    public string CallerHash => callerHash;

    public string Request => request;

    public string Token => token;

    /// <summary>
    /// Gets what names the work: the same at every try of one request, and nothing that the caller's key can be told from.
    /// </summary>
    public string OperationId => operationId;

    /// <summary>Gets whether another try of the request had the claim and never answered: what it flushed may be there.</summary>
    public bool IsTakenOver => isTakenOver;
}
