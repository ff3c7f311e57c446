namespace Tenancy.State;

/// <summary>A page of documents.</summary>
/// <param name="Items">The documents.</param>
/// <param name="NextCursor">Where the next page begins; null on the last.</param>
public sealed record DocumentPage<T>(IReadOnlyList<T> Items, string? NextCursor);
