using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>The part of a request's path that can name a tenant: what stands before the endpoint's own part.</summary>
internal readonly ref struct TenantPath
{
    private readonly ReadOnlySpan<char> _prefix;

    /// <summary>Reads the path of a request.</summary>
    public TenantPath(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata.GetMetadata<TenantEndpointMetadata>();
        var path = context.Request.Path.Value.AsSpan().TrimEnd('/');
        if (metadata?.Root is { } root && path.StartsWith(root, StringComparison.OrdinalIgnoreCase))
        {
            path = path[root.Length..];
        }

        IsFixed = metadata?.Suffix is not null;
        _prefix =
            metadata?.Suffix is { } suffix && path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? path[..^suffix.Length] : path;
        Whole = context.Request.PathBase.Value is { Length: > 0 } taken ? string.Concat(taken, _prefix) : _prefix;
    }

    /// <summary>
    /// Gets whether the endpoint is one that every tenant has, such as <c>/mcp</c>. The path of an application's own endpoint counts as a
    /// whole.
    /// </summary>
    public bool IsFixed { get; }

    /// <summary>
    /// Gets what the client wrote, such as <c>/api/acme</c> in <c>/api/acme/mcp</c>, whether or not the application has taken <c>/api</c>
    /// off as its base.
    /// </summary>
    public ReadOnlySpan<char> Whole { get; }

    /// <summary>What of it stands below the server's public URL: <c>/acme</c>, where that URL is <c>https://example.com/api</c>.</summary>
    /// <param name="publicPath">The path of the public URL; empty for most. A proxy may have taken it off.</param>
    public ReadOnlySpan<char> Below(ReadOnlySpan<char> publicPath) => Below(Whole, publicPath, or: _prefix);

    /// <summary>What of a path stands below another one, or something else where it does not.</summary>
    public static ReadOnlySpan<char> Below(ReadOnlySpan<char> path, ReadOnlySpan<char> root, ReadOnlySpan<char> or) =>
        !root.IsEmpty && IsBelow(path, root) ? path[root.Length..] : or;

    private static bool IsBelow(ReadOnlySpan<char> path, ReadOnlySpan<char> root) =>
        path.StartsWith(root) && (path.Length == root.Length || path[root.Length] == '/');
}
