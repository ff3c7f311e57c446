namespace Tenancy.State;

/// <summary>A request with an idempotency key. Both it and the key are one caller's and account's own.</summary>
/// <param name="Caller">Who calls.</param>
/// <param name="Account">For which account; null for none.</param>
/// <param name="Key">The caller's key: a secret, which no log, error or store may hold.</param>
/// <param name="Tool">The tool: a key is good for one.</param>
/// <param name="Hash">The hash of the arguments; see <see cref="RequestHash"/>.</param>
internal sealed record IdempotentRequest(string Caller, string? Account, string Key, string Tool, string Hash)
{
    /// <summary>Says nothing of the key.</summary>
    public override string ToString() => $"{Tool} {Hash}";
}
