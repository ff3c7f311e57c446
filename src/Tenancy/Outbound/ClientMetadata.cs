using System.Text.Json;
using Tenancy.Configuration;

namespace Tenancy.Outbound;

/// <summary>Reads what an OAuth client publishes of itself where its id is a URL (draft-ietf-oauth-client-id-metadata-document).</summary>
internal sealed class ClientMetadata(GuardedHttp http)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a client's metadata document.</summary>
    /// <exception cref="FetchException">The document is not to be had here and now.</exception>
    /// <exception cref="ClientRejectedException">The document does not vouch for the client.</exception>
    public async Task<JsonElement> LoadAsync(string clientId, CancellationToken cancellationToken)
    {
        var uri = new Uri(clientId);
        var text = await http.GetAsync(uri, ClientValidator.MaxMetadataSize, cancellationToken).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return Explain(document.RootElement, clientId) is { } reason
                ? throw new ClientRejectedException($"{GuardedHttp.Display(uri)} {reason}")
                : document.RootElement.Clone();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Its message may repeat the document.
            throw new ClientRejectedException($"{GuardedHttp.Display(uri)} is not JSON, or has a key twice");
        }
    }

    private static string? Explain(JsonElement document, string clientId)
    {
        if (document.ValueKind != JsonValueKind.Object)
        {
            return "is not a JSON object";
        }

        if (!document.TryGetProperty("client_id", out var id) || id.ValueKind != JsonValueKind.String || id.GetString() != clientId)
        {
            return "has another client_id than its own URL; they are compared byte for byte";
        }

        // Nobody can keep a secret in a public document.
        if (
            document.TryGetProperty("client_secret", out _)
            || document.TryGetProperty("client_secret_expires_at", out _)
            || HasSharedSecret(document)
        )
        {
            return "must not have client_secret, client_secret_expires_at, or a token_endpoint_auth_method with a shared secret";
        }

        if (
            document.TryGetProperty("client_name", out var name)
            && (name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: > 0 and <= ClientRegistration.MaxNameLength })
        )
        {
            return $"has a client_name that is not a text of 1 to {ClientRegistration.MaxNameLength} characters";
        }

        return
            document.TryGetProperty("redirect_uris", out var uris)
            && (uris.ValueKind != JsonValueKind.Array || uris.EnumerateArray().Any(one => one.ValueKind != JsonValueKind.String))
            ? "has redirect_uris that are not a list of texts"
            : null;
    }

    private static bool HasSharedSecret(JsonElement document) =>
        document.TryGetProperty("token_endpoint_auth_method", out var method)
        && (method.ValueKind != JsonValueKind.String || method.GetString()!.StartsWith("client_secret", StringComparison.Ordinal));
}
