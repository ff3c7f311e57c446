using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>The part of a request's path that can name a tenant.</summary>
internal static class TenantPath
{
    /// <summary>
    /// What stands before the endpoint's own part as the client wrote it, such as <c>/api/acme</c> in <c>/api/acme/mcp</c>, whether or not
    /// the application has taken <c>/api</c> off as its base.
    /// </summary>
    public static ReadOnlySpan<char> Whole(HttpContext context)
    {
        var prefix = Prefix(context);
        return context.Request.PathBase.Value is { Length: > 0 } root ? string.Concat(root, prefix) : prefix;
    }

    /// <summary>What of it stands below the server's public URL: <c>/acme</c>, where that URL is <c>https://example.com/api</c>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="publicPath">The path of the public URL; empty for most. A proxy may have taken it off.</param>
    public static ReadOnlySpan<char> Below(HttpContext context, ReadOnlySpan<char> publicPath)
    {
        if (!publicPath.IsEmpty && IsBelow(Whole(context), publicPath))
        {
            return Whole(context)[publicPath.Length..];
        }

        return Prefix(context);
    }

    private static bool IsBelow(ReadOnlySpan<char> path, ReadOnlySpan<char> root) =>
        path.StartsWith(root) && (path.Length == root.Length || path[root.Length] == '/');

    /// <summary>
    /// What stands before the endpoint's own part, such as <c>/acme</c> in <c>/acme/mcp</c>; the whole path for an endpoint of one's own.
    /// </summary>
    private static ReadOnlySpan<char> Prefix(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata.GetMetadata<TenantEndpointMetadata>();
        var path = context.Request.Path.Value.AsSpan().TrimEnd('/');
        if (metadata?.Root is { } root && path.StartsWith(root, StringComparison.OrdinalIgnoreCase))
        {
            path = path[root.Length..];
        }

        return metadata?.Suffix is { } suffix && path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? path[..^suffix.Length] : path;
    }
}
