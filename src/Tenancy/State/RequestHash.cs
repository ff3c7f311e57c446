using System.Buffers.Text;
using System.Security.Cryptography;

namespace Tenancy.State;

/// <summary>What tells one request of a tool from another: the SHA-256 of its arguments' canonical JSON.</summary>
internal static class RequestHash
{
    // AdCP, idempotency: a closed list. Anything else that differs, null in place of absent included, makes another request.
    private static readonly CanonicalJson.Omission[] Omissions =
    [
        new("idempotency_key"),
        new("context"),
        new("governance_context"),
        new("push_notification_config", new CanonicalJson.Omission("authentication", new CanonicalJson.Omission("credentials"))),
    ];

    /// <param name="arguments">The arguments as they were sent: one JSON object, in UTF-8.</param>
    /// <exception cref="FormatException">The arguments have no canonical form; see <see cref="CanonicalJson.Serialize"/>.</exception>
    public static string Compute(ReadOnlySpan<byte> arguments) =>
        Base64Url.EncodeToString(SHA256.HashData(CanonicalJson.Serialize(arguments, Omissions)));
}
