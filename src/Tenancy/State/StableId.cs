namespace Tenancy.State;

/// <summary>Makes ids from texts: two requests that come at once make the same id of the same texts.</summary>
public static class StableId
{
    /// <summary>Makes an id from texts. "ab" and "c" make another id than "a" and "bc", and null another one than an empty text.</summary>
    /// <returns>43 characters of base64url (RFC 4648, section 5): the SHA-256 of the texts. Its first characters serve as a shorter
    /// id.</returns>
    public static string Of(string first, string? second, params ReadOnlySpan<string?> rest)
    {
        ArgumentNullException.ThrowIfNull(first);
        return TenantKeyspace.Hash(first, second, rest);
    }
}
