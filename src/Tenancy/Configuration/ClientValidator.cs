using System.Text;
using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>Checks the OAuth clients that an admin lists.</summary>
internal static class ClientValidator
{
    /// <summary>The most that is kept of a client's metadata, as much as a metadata document may have.</summary>
    public const int MaxMetadataSize = 5 * 1024;

    public const int MaxNameLength = 200;

    private const int MaxIdLength = 1024;
    private const int MinExpiresIn = 60;
    private const int MaxExpiresIn = 10 * 365 * 24 * 60 * 60;

    public static IEnumerable<TenantConfigError> Validate(ClientRegistration client, ValidationOptions fetching)
    {
        var isDocument = IsDocument(client.ClientId);
        if (ExplainId(client.ClientId) is { } reason || (isDocument && (reason = ExplainUrl(client.ClientId, fetching)) is not null))
        {
            yield return new("clientId", reason);
        }

        if (client.Name is { Length: 0 or > MaxNameLength })
        {
            yield return new("name", $"must have 1 to {MaxNameLength} characters, or be left out");
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

        if (client.ExpiresIn is < MinExpiresIn or > MaxExpiresIn)
        {
            yield return new("expiresIn", $"is {client.ExpiresIn}: use {MinExpiresIn} to {MaxExpiresIn} seconds, after the last use");
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
        if (clientId.Length is 0 or > MaxIdLength || clientId.Any(c => c is not (>= ' ' and < '\u007f')))
        {
            return $"must have 1 to {MaxIdLength} visible ASCII characters, exactly as the identity provider's tokens have them in azp "
                + "or client_id";
        }

        return clientId[0] == ' ' || clientId[^1] == ' ' ? "must not begin or end with a space" : null;
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
