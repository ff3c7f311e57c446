using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Configuration;

namespace Tenancy.Outbound;

/// <summary>Reads what an issuer publishes of itself: its discovery document and its keys.</summary>
internal sealed class IssuerMetadata(GuardedHttp http, IOptions<TenancyOptions> options)
{
    public const int MaxDocumentSize = 1024 * 1024;

    private const string OpenId = "/.well-known/openid-configuration";
    private const string OAuth = "/.well-known/oauth-authorization-server";
    private const int MaxKeys = 64;
    private const int MinimumRsaKeySize = 2048;

    private readonly ValidationOptions _options = options.Value.Validation;

    /// <summary>Reads the keys with which the issuer of a tenant signs.</summary>
    /// <exception cref="FetchException">A document is not to be had here and now.</exception>
    /// <exception cref="IssuerRejectedException">The documents do not vouch for what the tenant's configuration says.</exception>
    public async Task<OpenIdConnectConfiguration> LoadAsync(TenantAuthentication authentication, CancellationToken cancellationToken)
    {
        var issuer = authentication.Issuer ?? throw new ArgumentException("The authentication has no issuer.", nameof(authentication));
        var keysUri = authentication.JwksUri;
        if (keysUri is null || authentication.TokenUrl is not null || authentication.AuthorizationUrl is not null)
        {
            var discovery = await DiscoverAsync(issuer, cancellationToken).ConfigureAwait(false);
            ThrowIfDifferent(authentication, discovery);
            keysUri ??= discovery.JwksUri;
        }

        if (!Uri.TryCreate(keysUri, UriKind.Absolute, out var uri) || !_options.AllowsScheme(uri))
        {
            throw new IssuerRejectedException("The issuer's discovery document names no https URL for its keys (jwks_uri)");
        }

        var configuration = new OpenIdConnectConfiguration { Issuer = issuer, JwksUri = keysUri };
        foreach (
            var key in ReadKeys(
                uri,
                await http.GetAsync(uri, MaxDocumentSize, cancellationToken).ConfigureAwait(false),
                authentication.PinnedKeyId
            )
        )
        {
            configuration.SigningKeys.Add(key);
        }

        return configuration;
    }

    /// <summary>
    /// Looks at every place that MCP names before it gives up, as issuers answer in many ways where they have no document.
    /// </summary>
    private async Task<OpenIdConnectConfiguration> DiscoverAsync(string issuer, CancellationToken cancellationToken)
    {
        List<FetchException> failures = [];
        IssuerRejectedException? rejected = null;
        foreach (var location in Locations(issuer))
        {
            try
            {
                return await DiscoverAsync(issuer, location, cancellationToken).ConfigureAwait(false);
            }
            catch (IssuerRejectedException exception)
            {
                rejected ??= exception;
            }
            catch (FetchException exception)
            {
                failures.Add(exception);
                if (!exception.IsAnswered)
                {
                    // The next place is at the same host, which cannot be reached now.
                    break;
                }
            }
        }

        // Where one place may answer later, nothing is certain yet; where a document was read, it is what is wrong.
        throw failures.FirstOrDefault(failure => failure.IsTransient) is { } transient ? transient
        : rejected is not null ? rejected
        : new FetchException(string.Join("; ", failures.Select(failure => failure.Message)), isTransient: false);
    }

    private async Task<OpenIdConnectConfiguration> DiscoverAsync(string issuer, Uri location, CancellationToken cancellationToken)
    {
        var text = await http.GetAsync(location, MaxDocumentSize, cancellationToken).ConfigureAwait(false);
        var discovery = Read(location, text, ReadDiscovery);
        return string.Equals(discovery.Issuer, issuer, StringComparison.Ordinal)
            ? discovery
            : throw new IssuerRejectedException(
                $"{GuardedHttp.Display(location)} names another issuer than the tenant's configuration; they are compared byte for byte"
            );
    }

    // What is not needed here may be as odd as it likes.
    private static OpenIdConnectConfiguration ReadDiscovery(string json)
    {
        var document = JsonElement.Parse(json);
        return new()
        {
            Issuer = Text("issuer"),
            JwksUri = Text("jwks_uri"),
            TokenEndpoint = Text("token_endpoint"),
            AuthorizationEndpoint = Text("authorization_endpoint"),
        };

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

    private static void ThrowIfDifferent(TenantAuthentication authentication, OpenIdConnectConfiguration discovery)
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

    private static List<SecurityKey> ReadKeys(Uri uri, string text, string? pinnedKeyId)
    {
        var published = Read(uri, text, static json => new JsonWebKeySet(json));
        var usable = new JsonWebKeySet();
        foreach (var key in published.Keys.Where(IsForSigning))
        {
            usable.Keys.Add(key);
        }

        var keys = Read(uri, usable, static set => set.GetSigningKeys()).Where(IsStrong).ToList();
        if (keys.Count is 0 or > MaxKeys)
        {
            throw new IssuerRejectedException(
                keys.Count == 0
                    ? $"{GuardedHttp.Display(uri)} has no key for signatures that can be used: RSA of at least {MinimumRsaKeySize} "
                        + "bits or EC"
                    : $"{GuardedHttp.Display(uri)} has more than {MaxKeys} keys"
            );
        }

        if (pinnedKeyId is not null)
        {
            keys.RemoveAll(key => key.KeyId != pinnedKeyId);
        }

        return keys.Count > 0 ? keys : throw new IssuerRejectedException($"{GuardedHttp.Display(uri)} has no key with the pinned id");
    }

    // A key whose private half is published, or that is shared with the issuer, proves nothing.
    private static bool IsForSigning(JsonWebKey key) =>
        key.Kty is JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve
        && (string.IsNullOrEmpty(key.Use) || key.Use == JsonWebKeyUseNames.Sig)
        && (key.KeyOps.Count == 0 || key.KeyOps.Contains("verify"))
        && string.IsNullOrEmpty(key.D);

    private static bool IsStrong(SecurityKey key) => key.KeySize >= MinimumRsaKeySize || key is ECDsaSecurityKey;

    // Whatever the reader throws, its message may repeat the document and goes no further.
    private static TResult Read<TSource, TResult>(Uri uri, TSource source, Func<TSource, TResult> read)
    {
        try
        {
            if (source is string text)
            {
                using var document = JsonDocument.Parse(text);
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                {
                    throw new JsonException();
                }
            }

            return read(source);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new FetchException($"{GuardedHttp.Display(uri)} is not the JSON that it should be", isTransient: false, statusCode: 200);
        }
    }
}
