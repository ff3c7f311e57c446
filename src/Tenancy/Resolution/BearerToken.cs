using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>Reads the bearer token of a request (RFC 6750, section 2.1).</summary>
internal static class BearerToken
{
    /// <summary>The longest token that is looked at, in characters; Kestrel takes 32 KiB of headers in all.</summary>
    public const int MaxLength = 16 * 1024;

    private const string Scheme = "Bearer ";

    /// <summary>The token; false where there is none, or more than one Authorization header.</summary>
    public static bool TryRead(IHeaderDictionary headers, out string token)
    {
        var found = TryFind(headers, out var characters);
        token = characters.ToString();
        return found;
    }

    /// <summary>The token, as it stands in its header.</summary>
    public static bool TryFind(IHeaderDictionary headers, out ReadOnlySpan<char> token)
    {
        var value = headers[HeaderNames.Authorization];
        token =
            value.Count == 1 && value[0] is { } header && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                ? header.AsSpan(Scheme.Length).Trim()
                : default;
        return token.Length > 0;
    }

    /// <summary>The tenant that an opaque token names: what stands before its first dot. Empty where nothing does.</summary>
    public static ReadOnlySpan<char> TenantOf(ReadOnlySpan<char> token) =>
        token.IndexOf('.') is var dot and > 0 && TenantId.IsLabel(token[..dot]) ? token[..dot] : default;
}
