using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tenancy.State;

/// <summary>
/// What tells one request of a tool from another with the same idempotency key: the hash of its arguments' canonical JSON.
/// </summary>
public static class RequestHash
{
    /// <summary>Hashes arguments: those that mean the same, however they are written, have the same hash.</summary>
    /// <param name="arguments">The arguments as they were sent: one JSON object, in UTF-8.</param>
    /// <param name="omitted">The members that count for nothing, such as the key itself.</param>
    /// <returns>43 characters of base64url: the SHA-256 of the arguments by RFC 8785 (JSON Canonicalization Scheme).</returns>
    /// <exception cref="FormatException">
    /// The arguments have half a surrogate pair, bytes that are no UTF-8, a number beyond a double, or a member twice.
    /// </exception>
    /// <exception cref="JsonException">They are no JSON text, or deeper than 64 levels.</exception>
    public static string Compute(ReadOnlySpan<byte> arguments, params ReadOnlySpan<OmittedMember> omitted) =>
        Base64Url.EncodeToString(SHA256.HashData(CanonicalJson.Serialize(arguments, omitted)));
}

/// <summary>A member of a JSON object that counts for nothing, or of which members do.</summary>
/// <param name="name">The member's name.</param>
/// <param name="within">Its own members that count for nothing; none where the whole member does.</param>
public sealed class OmittedMember(string name, params OmittedMember[] within)
{
    /// <summary>Gets the member's name.</summary>
    public string Name => name;

    internal OmittedMember[] Within => within;

    internal bool IsWhole => within.Length == 0;
}
