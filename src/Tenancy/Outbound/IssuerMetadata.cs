using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Outbound;

/// <summary>Reads what an issuer publishes of itself: its discovery document and its keys.</summary>
internal sealed class IssuerMetadata(GuardedHttp http, IOptions<TenancyOptions> options)
{
    public const int MaxDocumentSize = 1024 * 1024;

    private const string OpenId = "/.well-known/openid-configuration";
    private const string OAuth = "/.well-known/oauth-authorization-server";

    private readonly ValidationOptions _options = options.Value.Validation;

    /// <summary>Reads the keys with which the issuer of a tenant signs.</summary>
    /// <exception cref="FetchException">A document is not to be had here and now.</exception>
    /// <exception cref="IssuerRejectedException">The documents do not vouch for what the tenant's configuration says.</exception>
    public async Task<IssuerKeySet> LoadAsync(TenantAuthentication authentication, CancellationToken cancellationToken)
    {
        var issuer = authentication.Issuer ?? throw new ArgumentException("The authentication has no issuer.", nameof(authentication));
        var keysUri = authentication.JwksUri;
        if (keysUri is null || authentication.TokenUrl is not null || authentication.AuthorizationUrl is not null)
        {
            var discovery = await DiscoverAsync(issuer, authentication, cancellationToken).ConfigureAwait(false);
            keysUri ??= discovery.KeysUri;
        }

        if (!TryReadKeysUri(keysUri, out var uri))
        {
            throw new IssuerRejectedException("The URL of the issuer's keys, jwksUri, is no https URL");
        }

        return ReadKeys(
            uri,
            await http.GetAsync(uri, MaxDocumentSize, cancellationToken).ConfigureAwait(false),
            authentication.PinnedKeyId
        );
    }

    private bool TryReadKeysUri(string? text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri) && _options.AllowsScheme(uri);

    /// <summary>
    /// Looks at every place that MCP names before it gives up, as issuers answer in many ways where they have no document.
    /// </summary>
    private async Task<Discovery> DiscoverAsync(string issuer, TenantAuthentication authentication, CancellationToken cancellationToken)
    {
        List<FetchException> failures = [];
        IssuerRejectedException? rejected = null;
        foreach (var location in Locations(issuer))
        {
            try
            {
                return await DiscoverAsync(issuer, authentication, location, cancellationToken).ConfigureAwait(false);
            }
            catch (IssuerRejectedException exception) when (failures.Count == 0)
            {
                rejected ??= exception;
            }
            catch (IssuerRejectedException exception)
            {
                // The issuer's own place has nothing. A host of many issuers may answer at the later ones by one route for all of them, so
                // that another's document there is no more of a proof than a page for visitors.
                failures.Add(new(exception.Message, isTransient: false));
            }
            catch (FetchException exception)
            {
                failures.Add(exception);
                if (!exception.IsConnected)
                {
                    // The next place is at the same host, which cannot be reached now, or must not be asked.
                    break;
                }
            }
        }

        // A rejection takes the known keys away at once, so that it has to be certain. As long as a place may still have the right document
        // and only fails to answer now, it is not, whatever the others have: another issuer's document at one place is no proof that this
        // issuer has none. Where all have answered, the document that was read is what is wrong.
        throw failures.FirstOrDefault(failure => failure.IsTransient) is { } transient ? transient
        : rejected is not null ? rejected
        : new FetchException(
            string.Join("; ", failures.Select(failure => failure.Message)),
            isTransient: false,
            isCertain: failures.Exists(failure => failure.IsCertain)
        );
    }

    private async Task<Discovery> DiscoverAsync(
        string issuer,
        TenantAuthentication authentication,
        Uri location,
        CancellationToken cancellationToken
    )
    {
        var text = await http.GetAsync(location, MaxDocumentSize, cancellationToken).ConfigureAwait(false);
        var discovery = Read(location, text, ReadDiscovery);
        if (discovery.Issuer is null)
        {
            // An error page in JSON, such as that of a proxy in front of the issuer, proves nothing about the issuer.
            throw new FetchException(
                $"{GuardedHttp.Display(location)} names no issuer, so that it is no discovery document",
                isTransient: false
            );
        }

        if (!string.Equals(discovery.Issuer, issuer, StringComparison.Ordinal))
        {
            throw new IssuerRejectedException(ExplainIssuer(location, discovery.Issuer, issuer));
        }

        if (authentication.JwksUri is null && !TryReadKeysUri(discovery.KeysUri, out _))
        {
            throw new IssuerRejectedException($"{GuardedHttp.Display(location)} names no https URL for the issuer's keys (jwks_uri)");
        }

        ThrowIfDifferent(authentication, discovery);
        return discovery;
    }

    private static string ExplainIssuer(Uri location, string named, string configured) =>
        $"{GuardedHttp.Display(location)} names another issuer than the tenant's configuration; "
        + (
            named.TrimEnd('/') != configured.TrimEnd('/') ? "they are compared byte for byte"
            : named.EndsWith('/') ? "only the slash at the end differs: add it to the issuer in the tenant's configuration"
            : "only the slash at the end differs: take it off the issuer in the tenant's configuration"
        );

    // What is not needed here may be as odd as it likes.
    private static Discovery ReadDiscovery(string json)
    {
        var document = JsonElement.Parse(json, IssuerKeySet.Lenient);
        return new(Text("issuer"), Text("jwks_uri"), Text("token_endpoint"), Text("authorization_endpoint"));

        string? Text(string name) =>
            document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    // OpenID Connect Discovery 1.0, section 4.1, puts the well-known part behind the path; RFC 8414, section 3.1, puts its own between host
    // and path; and OpenID's name there is the third that MCP asks for. A trailing slash is taken off first.
    private static IEnumerable<Uri> Locations(string issuer)
    {
        var uri = new Uri(issuer);
        var (host, path) = (uri.GetLeftPart(UriPartial.Authority), uri.AbsolutePath.TrimEnd('/'));
        yield return new(issuer.TrimEnd('/') + OpenId);
        yield return new(host + OAuth + path);
        if (path.Length > 0)
        {
            yield return new(host + OpenId + path);
        }
    }

    private static void ThrowIfDifferent(TenantAuthentication authentication, Discovery discovery)
    {
        if (authentication.TokenUrl is { } token && token != discovery.TokenEndpoint)
        {
            throw new IssuerRejectedException("The issuer's discovery document names another token endpoint than tokenUrl");
        }

        if (authentication.AuthorizationUrl is { } authorization && authorization != discovery.AuthorizationEndpoint)
        {
            throw new IssuerRejectedException("The issuer's discovery document names another authorization endpoint than authorizationUrl");
        }
    }

    private static IssuerKeySet ReadKeys(Uri uri, string text, string? pinnedKeyId)
    {
        var set = Read(uri, text, IssuerKeySet.Read);
        if (set.Keys.Count == 0)
        {
            var others = set.LeftOut.Count == 0 ? "" : $"; it has {string.Join(", ", set.LeftOut)}";
            throw new IssuerRejectedException(
                $"{GuardedHttp.Display(uri)} has no key for signatures that can be used: {IssuerKeySet.Usable}{others}"
            );
        }

        if (set.Keys.Count > IssuerKeySet.MaxKeys)
        {
            throw new FetchException($"{GuardedHttp.Display(uri)} has more than {IssuerKeySet.MaxKeys} keys", isTransient: false);
        }

        if (pinnedKeyId is not null)
        {
            set = set.Pin(pinnedKeyId);
        }

        return set.Keys.Count > 0 ? set : throw new IssuerRejectedException($"{GuardedHttp.Display(uri)} has no key with the pinned id");
    }

    // Whatever the reader throws, its message may repeat the document and goes no further.
    private static TResult Read<TResult>(Uri uri, string text, Func<string, TResult> read)
    {
        try
        {
            return JsonElement.Parse(text, IssuerKeySet.Lenient).ValueKind == JsonValueKind.Object ? read(text) : throw new JsonException();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new FetchException($"{GuardedHttp.Display(uri)} is not the JSON that it should be", isTransient: false);
        }
    }

    /// <summary>What is needed of a discovery document.</summary>
    private sealed record Discovery(string? Issuer, string? KeysUri, string? TokenEndpoint, string? AuthorizationEndpoint);
}
