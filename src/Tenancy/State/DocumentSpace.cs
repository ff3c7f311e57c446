namespace Tenancy.State;

/// <summary>Whose documents lie together: an account's, or those of a caller itself.</summary>
/// <remarks>
/// Ids of accounts may be chosen by whoever opens them. An id in the form of an identity is therefore hashed apart, so that no account is
/// the documents of a caller. All other ids, and identities, enter a key as they always did.
/// </remarks>
internal static class DocumentSpace
{
    // No text begins so in UTF-8, nor as StoreText writes what is no Unicode.
    private const byte AccountMark = 0xfe;

    private static readonly string[] Kinds = ["principal:", "user:", "client:", "scheme:"];

    /// <summary>The documents of an account.</summary>
    public static string OfAccount(string id) => IsIdentity(id) ? TenantKeyspace.Hash(AccountMark, id) : TenantKeyspace.Hash(id);

    /// <summary>The documents of a caller itself.</summary>
    /// <exception cref="InvalidOperationException">It is no identity, so that it could be the id of an account.</exception>
    public static string OfCaller(string identity) =>
        IsIdentity(identity)
            ? TenantKeyspace.Hash(identity)
            : throw new InvalidOperationException("An identity of a form that is not known here has no documents.");

    /// <summary>The documents of an account that a call of this caller names: one that is the caller itself is its own.</summary>
    public static string Of(string account, string? caller) => account == caller ? OfCaller(account) : OfAccount(account);

    /// <summary>Whether a text has the form of a caller's identity; see CallerIdentity.Value.</summary>
    public static bool IsIdentity(string text) =>
        text is "anonymous" or "system" || Array.Exists(Kinds, kind => text.StartsWith(kind, StringComparison.Ordinal));
}
