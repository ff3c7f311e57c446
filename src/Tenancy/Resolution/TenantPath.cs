using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>The part of a request's path that can name a tenant.</summary>
internal static class TenantPath
{
    /// <summary>
    /// The part before the endpoint's own, such as <c>/acme</c> in <c>/acme/mcp</c>. For an endpoint of an application's own it is the
    /// whole path.
    /// </summary>
    public static ReadOnlySpan<char> Prefix(HttpContext context)
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
