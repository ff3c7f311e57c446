namespace Tenancy.State;

/// <summary>Ids that follow from texts, so that two requests at once make the same.</summary>
public static class StableId
{
    /// <summary>Makes an id from texts; which ends where makes a difference, and so does whether one is there.</summary>
    /// <returns>43 characters of base64url (RFC 4648, section 5): the SHA-256 of the texts. A part of it makes a shorter id.</returns>
    public static string Of(string first, string? second, params ReadOnlySpan<string?> rest)
    {
        ArgumentNullException.ThrowIfNull(first);
        return TenantKeyspace.Hash(first, second, rest);
    }
}
