using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>
/// A tenant's MCP endpoint as OAuth knows it (RFC 9728): the URL that was called, as far as it was configured. What a Host header says by
/// itself never gets into it; in Development it may be any address at which the server listens.
/// </summary>
internal sealed class ProtectedResource
{
    /// <summary>Where the metadata of a resource lies: before its path (RFC 9728, section 3.1).</summary>
    public const string WellKnown = "/.well-known/oauth-protected-resource";

    // What a URL has without an escape (RFC 3986, section 3.3): the base of a path may come from a proxy, and goes into a header.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/"
    );

    private readonly TenantUrl? _publicUrl;
    private readonly TenantUrl? _domainUrl;
    private readonly TenancyOptions _options;
    private readonly BoundAddresses _bound;

    public ProtectedResource(IOptions<TenancyOptions> options, BoundAddresses bound)
    {
        _options = options.Value;
        _bound = bound;
        _publicUrl = TenantUrl.TryParse(options.Value.PublicUrl, out var url, out _) ? url : null;
        _domainUrl = TenantSubdomain.DomainOf(options.Value);
    }

    /// <summary>The resource that a request is for; null where the tenant has no OAuth, or the URL is none that was configured.</summary>
    public string? Find(HttpContext context) =>
        FindTenant(context) is { } feature && FindUrl(context, feature) is { } url ? url + McpEndpoint.Path : null;

    /// <summary>
    /// The URL of the metadata of a request's resource. Where the request came to another URL, such as one that all tenants share, it is
    /// that of the tenant's own: a client that compares the two can say which URL to use.
    /// </summary>
    public string? FindMetadata(HttpContext context)
    {
        if (FindOrLead(context) is not { } resource)
        {
            return null;
        }

        var path = resource.IndexOf('/', resource.IndexOf("://", StringComparison.Ordinal) + 3);
        var below = context.Request.PathBase;
        if (below.HasValue && new PathString(resource[path..]).StartsWithSegments(below) && !IsFoundAtRoot(context, resource, path))
        {
            path += below.Value.Length;
        }

        return resource[..path] + WellKnown + resource[path..];
    }

    // Whether this server knows whose the place at the root is. It does not where nothing but the request says what its base is; and at an
    // address of its own nothing stands before the server that could lead the place at the root to it.
    private bool IsFoundAtRoot(HttpContext context, string resource, int path)
    {
        var tenant = FindTenant(context)!.Tenant;
        var url = resource.AsSpan(0, resource.Length - McpEndpoint.Path.Length);
        foreach (var own in tenant.Urls)
        {
            if (url.SequenceEqual(own.ToString()))
            {
                return true;
            }
        }

        var rest = TenantPath.Below(url[path..], _publicUrl?.Path, or: url[path..]);
        return !IsBound(url[..path]) && (rest.IsEmpty || rest[1..].SequenceEqual(tenant.Id.Value));
    }

    // At an address of the server itself, of which nothing was configured.
    private bool IsBound(ReadOnlySpan<char> origin)
    {
        var host = origin[(origin.IndexOf("://", StringComparison.Ordinal) + 3)..];
        return !IsPublic(host) && _bound.OriginOf(host) is { } bound && origin.SequenceEqual(bound);
    }

    private static ITenantFeature? FindTenant(HttpContext context) =>
        context.Features.Get<ITenantFeature>() is { Tenant.Config.Authentication.Kind: TenantAuthenticationKind.Jwks } feature
            ? feature
            : null;

    private string? FindOrLead(HttpContext context) =>
        FindTenant(context) is { } feature && (FindUrl(context, feature) ?? OwnUrl(context, feature.Tenant)) is { } url
            ? url + McpEndpoint.Path
            : null;

    private string? FindUrl(HttpContext context, ITenantFeature feature)
    {
        var path = new TenantPath(context);
        var whole = path.Whole;
        if (feature.Url is { } own && whole.SequenceEqual(own.Path))
        {
            return own.ToString();
        }

        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        if (feature.Url is not null || !CanonicalHost.TryRead(context.Request.Headers.Host.ToString(), buffer, out var host))
        {
            return null;
        }

        var id = feature.Tenant.Id.Value;
        var below = path.Below(_publicUrl?.Path);
        if (below.Length > 1 && below[1..].SequenceEqual(id))
        {
            return SharedAt(host) is { } byPath ? AsCalled(byPath, $"/{id}", whole) : FindBound(host, whole);
        }

        return !below.IsEmpty ? null
            : TenantSubdomain.Of(id, _options) is { } subdomain && host.SequenceEqual(subdomain.Host) ? AsCalled(subdomain, "", whole)
            : IsNamedByHost(host, id) ? FindBound(host, whole)
            : !_options.IsDefault(id) || context.Request.Headers.ContainsKey(TenantResolver.HeaderName) ? null
            : SharedAt(host) is { } shared ? AsConfigured(shared, whole)
            : FindBound(host, whole);
    }

    // Of the tenant that is meant where none is named, nothing but the configuration says the URL: a base that a proxy passes on could make
    // it that of another tenant, whose tokens would then be good here.
    private static string? AsConfigured(TenantUrl url, ReadOnlySpan<char> whole) =>
        url.Path.AsSpan().EndsWith(whole) ? url.ToString() : null;

    // A proxy may have taken off the beginning of the path that is configured, so that the request has the end of it. Where it has another
    // one, the application or a proxy has said what the base is, and the client called it with that.
    private static string? AsCalled(TenantUrl url, string rest, ReadOnlySpan<char> whole) =>
        (url.Path + rest).AsSpan().EndsWith(whole) ? url + rest
        : whole.ContainsAnyExcept(Plain) ? null
        : $"{url.Scheme}://{url.Host}{whole}";

    private TenantUrl? SharedAt(ReadOnlySpan<char> host) =>
        IsPublic(host) ? _publicUrl
        : _domainUrl is not null && host.SequenceEqual(_domainUrl.Host) && _bound.OriginOf(host) is null ? _domainUrl
        : null;

    private bool IsPublic(ReadOnlySpan<char> host) => _publicUrl is not null && host.SequenceEqual(_publicUrl.Host);

    private static bool IsNamedByHost(ReadOnlySpan<char> host, ReadOnlySpan<char> id) =>
        host.Length > id.Length && host.StartsWith(id) && host[id.Length] == '.';

    private string? FindBound(ReadOnlySpan<char> host, ReadOnlySpan<char> whole) =>
        _bound.OriginOf(host) is { } origin ? string.Concat(origin, whole) : null;

    // Where a tenant is called by whoever knows nothing but its id.
    private string? OwnUrl(HttpContext context, TenantModel tenant)
    {
        if (tenant.Urls is [{ } first, ..])
        {
            return first.ToString();
        }

        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        var isByPath = _options.Identification.HasFlag(TenantIdentification.Path);
        if (
            isByPath
            && CanonicalHost.TryRead(context.Request.Headers.Host.ToString(), buffer, out var host)
            && !IsPublic(host)
            && _bound.OriginOf(host) is { } origin
        )
        {
            return $"{origin}{context.Request.PathBase}/{tenant.Id}";
        }

        return isByPath && _publicUrl is not null ? $"{_publicUrl}/{tenant.Id}"
            : _options.Identification.HasFlag(TenantIdentification.Host) && TenantSubdomain.Of(tenant.Id.Value, _options) is { } subdomain
                ? subdomain.ToString()
            : isByPath && _domainUrl is not null ? $"{_domainUrl}/{tenant.Id}"
            : null;
    }
}
