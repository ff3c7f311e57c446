using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>
/// A tenant's MCP endpoint as OAuth knows it (RFC 9728): the URL that was called, as far as it was configured. What a Host header says by
/// itself never gets into it, and a tenant that was found by a header or a token has none.
/// </summary>
internal sealed class ProtectedResource
{
    /// <summary>Where the metadata of a resource lies: before its path (RFC 9728, section 3.1).</summary>
    public const string WellKnown = "/.well-known/oauth-protected-resource";

    private const string Endpoint = "/mcp";
    private readonly TenantUrl? _publicUrl;
    private readonly TenancyOptions _options;

    public ProtectedResource(IOptions<TenancyOptions> options)
    {
        _options = options.Value;
        _publicUrl = TenantUrl.TryParse(options.Value.PublicUrl, out var url, out _) ? url : null;
    }

    /// <summary>The resource that a request is for; null where the tenant has no OAuth, or the URL is none that was configured.</summary>
    public string? Find(HttpContext context) =>
        context.Features.Get<ITenantFeature>() is { Tenant.Config.Authentication.Kind: TenantAuthenticationKind.Jwks } feature
        && FindUrl(context, feature) is { } url
            ? url + Endpoint
            : null;

    /// <summary>The URL of the metadata of the resource that a request is for; null where there is no such resource.</summary>
    public string? FindMetadata(HttpContext context)
    {
        if (Find(context) is not { } resource)
        {
            return null;
        }

        var path = resource.IndexOf('/', resource.IndexOf("://", StringComparison.Ordinal) + 3);
        return resource[..path] + WellKnown + resource[path..];
    }

    private string? FindUrl(HttpContext context, ITenantFeature feature)
    {
        if (feature.Url is { } own)
        {
            return own.ToString();
        }

        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        if (!CanonicalHost.TryRead(context.Request.Headers.Host.ToString(), buffer, out var host))
        {
            return null;
        }

        var id = feature.Tenant.Id.Value;
        var prefix = TenantPath.Prefix(context);
        if (prefix.Length > 1 && prefix[1..].SequenceEqual(id))
        {
            return _publicUrl is not null && host.SequenceEqual(_publicUrl.Host) ? $"{_publicUrl}/{id}" : null;
        }

        return prefix.IsEmpty && TenantSubdomain.Of(id, _options) is { } subdomain && host.SequenceEqual(subdomain.Host)
            ? subdomain.ToString()
            : null;
    }
}
