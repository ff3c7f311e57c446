using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Tenancy.Configuration;

/// <summary>A URL at which one tenant is called; its MCP endpoint is the URL plus <c>/mcp</c>.</summary>
/// <remarks>
/// Two URLs are the same when their <see cref="Key"/> is: hosts compare in lower case and punycode, without a trailing dot or a default
/// port, and the scheme is not compared, because TLS may end in front of this server. Paths compare byte for byte.
/// </remarks>
public sealed record TenantUrl
{
    /// <summary>The most path segments that a tenant's URL may have.</summary>
    public const int MaxSegments = 3;

    private TenantUrl(string scheme, string host, string path) => (Scheme, Host, Path) = (scheme, host, path);

    /// <summary>Gets <c>http</c> or <c>https</c>.</summary>
    public string Scheme { get; }

    /// <summary>Gets the host in canonical form, with the port where it is not 80 or 443.</summary>
    public string Host { get; }

    /// <summary>Gets the path without a trailing slash: empty, or <c>/a</c> to <c>/a/b/c</c>.</summary>
    public string Path { get; }

    /// <summary>Gets what identifies this URL among those of all tenants: host and path.</summary>
    public string Key => Host + Path;

    /// <summary>Reads a URL.</summary>
    /// <param name="value">
    /// An absolute http or https URL with at most <see cref="MaxSegments"/> path segments and nothing after the path.
    /// </param>
    /// <param name="url">The URL in canonical form.</param>
    /// <param name="reason">What is wrong with <paramref name="value"/> and how to mend it.</param>
    public static bool TryParse(string? value, [NotNullWhen(true)] out TenantUrl? url, [NotNullWhen(false)] out string? reason)
    {
        url = null;
        reason = null;
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            reason = "must be an absolute http or https URL, such as https://acme.example.com";
        }
        else if (uri.UserInfo.Length > 0)
        {
            reason = "must not carry a user name or password";
        }
        else if (uri.Query.Length > 0 || uri.Fragment.Length > 0 || value.AsSpan().ContainsAny('?', '#'))
        {
            reason = "must not have a query or a fragment";
        }
        else if (value.AsSpan().ContainsAny('%', '\\') || WrittenPath(value) != uri.AbsolutePath)
        {
            // A request's path is compared after its escapes and dot segments are resolved: such a URL would not be found, or not be what
            // it looks like.
            reason = "must not have escapes, backslashes, dot segments or characters that need an escape in its path";
        }
        else if (!CanonicalHost.TryFormat(uri, out var host))
        {
            reason = "has a host that is neither a DNS name nor an IP address";
        }
        else
        {
            var path = uri.AbsolutePath.TrimEnd('/');
            reason =
                path.Length > 0
                && path.Split('/') is var segments
                && (segments.Length - 1 > MaxSegments || Array.IndexOf(segments, "", 1) > 0)
                    ? string.Create(CultureInfo.InvariantCulture, $"must have at most {MaxSegments} path segments, none of them empty")
                    : null;
            url = reason is null ? new TenantUrl(uri.Scheme, host, path) : null;
        }

        return url is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}://{Host}{Path}";

    private static string WrittenPath(string value)
    {
        var path = value.IndexOf('/', value.IndexOf("://", StringComparison.Ordinal) + 3);
        return path < 0 ? "/" : value[path..];
    }
}
