namespace Tenancy.State;

/// <summary>What became of the answer of a claimed request.</summary>
/// <param name="IsStored">Whether it is what is replayed from now on.</param>
/// <param name="Other">The answer that is replayed in its place; null where there is none yet.</param>
internal sealed record IdempotencyCompletion(bool IsStored, ReadOnlyMemory<byte>? Other = null);
