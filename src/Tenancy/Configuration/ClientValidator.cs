using System.Text;
using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>
/// Checks the OAuth clients that an admin lists. Bounds stand as attributes at the fields; here is what an attribute cannot say.
/// </summary>
internal static class ClientValidator
{
    /// <summary>The most that is kept of a client's metadata, as much as a metadata document may have.</summary>
    public const int MaxMetadataSize = 5 * 1024;

    public static IEnumerable<TenantConfigError> Validate(ClientRegistration client, ValidationOptions fetching)
    {
        foreach (var error in RecordFields.Validate(client, TenancyJson.Default.ClientRegistration))
        {
            yield return error;
        }

        var isDocument = IsDocument(client.ClientId);
        if (ExplainId(client.ClientId) is { } reason || (isDocument && (reason = ExplainUrl(client.ClientId, fetching)) is not null))
        {
            yield return new("clientId", reason);
        }

        if (client.Metadata is { } metadata)
        {
            if (isDocument)
            {
                yield return new("metadata", "comes from the document that the client's id is the URL of: leave it out");
            }
            else if (metadata.ValueKind != JsonValueKind.Object || Encoding.UTF8.GetByteCount(metadata.GetRawText()) > MaxMetadataSize)
            {
                yield return new("metadata", $"must be a JSON object of at most {MaxMetadataSize} bytes");
            }
        }
    }

    /// <summary>
    /// Whether a client's id is the URL of its metadata document (draft-ietf-oauth-client-id-metadata-document), which has a path.
    /// </summary>
    public static bool IsDocument(string clientId) =>
        Uri.TryCreate(clientId, UriKind.Absolute, out var uri)
            ? uri.Scheme is "https" or "http" && uri.PathAndQuery != "/"
            : clientId.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string? ExplainId(string clientId)
    {
        // RFC 6749, appendix A.1. What looks like an id, but has letters of another script, is none.
        if (clientId.Any(c => c is not (>= ' ' and < '\u007f')))
        {
            return "must have visible ASCII characters only, exactly as the identity provider's tokens have them in azp or client_id";
        }

        return clientId is [' ', ..] or [.., ' '] ? "must not begin or end with a space" : null;
    }

    private static string? ExplainUrl(string clientId, ValidationOptions fetching)
    {
        if (!Uri.TryCreate(clientId, UriKind.Absolute, out var uri) || !fetching.AllowsScheme(uri))
        {
            return "must be an https URL, as those of Client ID Metadata Documents are";
        }

        if (uri.UserInfo.Length > 0 || clientId.Contains('#', StringComparison.Ordinal))
        {
            return "must not carry a user name, a password or a fragment";
        }

        // Issuers compare it byte for byte, and so do we: one document has one URL.
        return uri.AbsoluteUri == clientId
            ? null
            : "must be in its normal form (RFC 3986, section 6.2.2): lower-case scheme and host, no default port, no '.' or '..' in "
                + "the path";
    }
}
