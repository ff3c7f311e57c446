using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>The part of a request's path that can name a tenant.</summary>
internal static class TenantPath
{
    /// <summary>
    /// What stands before the endpoint's own part, such as <c>/acme</c> in <c>/acme/mcp</c>; the whole path for an endpoint of one's own.
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
