using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>
/// Reads the tenant from URL, host, path, header and token, as <see cref="TenancyOptions.Identification"/> allows. Ways that disagree
/// refuse the request.
/// </summary>
/// <remarks>It is a service of its own, so that a resolver of yours can take it in its constructor and decide before or after it.</remarks>
public sealed class TenantResolver : ITenantResolver
{
    internal const string HeaderName = "X-Tenant-ID";
    private const string Contradiction = "The request names more than one tenant.";

    // No tenant can have this id: a request that names it is answered like one that names an unknown tenant.
    private const string Nobody = "-";

    private readonly TenantRegistry _registry;
    private readonly AllowedHosts _hosts;
    private readonly TokenTenants _tokens;
    private readonly TenancyOptions _options;
    private readonly string _publicPath;

    internal TenantResolver(TenantRegistry registry, AllowedHosts hosts, TokenTenants tokens, IOptions<TenancyOptions> options)
    {
        _registry = registry;
        _hosts = hosts;
        _tokens = tokens;
        _options = options.Value;
        _publicPath = TenantUrl.TryParse(_options.PublicUrl, out var url, out _) ? url.Path : "";
    }

    /// <inheritdoc/>
    public ValueTask<TenantResolution> ResolveAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(Resolve(context));
    }

    private TenantResolution Resolve(HttpContext context)
    {
        if (!_options.MultiTenant)
        {
            return TenantResolution.Found(_options.DefaultTenant ?? "default");
        }

        var found = default(Finding);
        FindByUrl(context, ref found);
        if (Has(TenantIdentification.Header))
        {
            FindByHeader(context.Request.Headers, ref found);
        }

        if (Has(TenantIdentification.Token) && BearerToken.TryRead(context.Request.Headers, out var token))
        {
            FindByToken(token, ref found);
        }

        return found.ToResolution();
    }

    private bool Has(TenantIdentification way) => (_options.Identification & way) != 0;

    private void FindByUrl(HttpContext context, ref Finding found)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        if (!CanonicalHost.TryRead(context.Request.Headers.Host.ToString(), buffer, out var host))
        {
            return;
        }

        var path = new TenantPath(context);
        var prefix = path.Below(_publicPath);
        if (
            TryFindUrl(host, path.Whole, isSuspendedHidden: path.IsFixed && prefix.Length > 1, out var tenant, out var url)
            && Has(url.Path.Length > 0 ? TenantIdentification.Path : TenantIdentification.Host)
        )
        {
            if (url.Path.Length > 0)
            {
                // Below a tenant's URL there are no other endpoints, of this tenant or of any.
                var isElsewhere = path.IsFixed && !path.Whole.SequenceEqual(url.Path);
                found.Add(isElsewhere ? Nobody : tenant.Id.Value, isElsewhere ? null : url, _registry);
                return;
            }

            found.Add(tenant.Id.Value, url, _registry);
        }
        else if (Has(TenantIdentification.Host))
        {
            found.Add(Label(_hosts.Subdomain(host)), null, _registry);
        }

        if (Has(TenantIdentification.Path) && !path.IsFixed)
        {
            found.Add(context.GetRouteValue("tenant") as string, null, _registry);
        }
        else if (path.IsFixed && prefix.Length > 1)
        {
            // Also where tenants are not named by path, /globex/mcp is not the endpoint of the tenant that a header or the default names.
            found.Add(Has(TenantIdentification.Path) && prefix.LastIndexOf('/') == 0 ? prefix[1..] : Nobody, null, _registry);
        }
    }

    /// <param name="host">The host.</param>
    /// <param name="path">The path.</param>
    /// <param name="isSuspendedHidden">
    /// Whether the URL of a suspended tenant counts as nobody's. Where the path is read all the same, the request names somebody or nobody
    /// by it, and comes to no other tenant. Otherwise a header beside the path would agree with a suspended tenant's URL, and contradict
    /// one that there is not.
    /// </param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="url">Its URL.</param>
    private bool TryFindUrl(
        ReadOnlySpan<char> host,
        ReadOnlySpan<char> path,
        bool isSuspendedHidden,
        [NotNullWhen(true)] out TenantModel? tenant,
        [NotNullWhen(true)] out TenantUrl? url
    )
    {
        var isFound = _registry.TryFindUrl(host, path, out tenant, out url);
        while (isFound && isSuspendedHidden && tenant!.IsSuspended && url!.Path.Length > 0)
        {
            var above = url.Path.AsSpan(0, url.Path.LastIndexOf('/'));
            isFound = _registry.TryFindUrl(host, above, out tenant, out url);
        }

        return isFound;
    }

    private static ReadOnlySpan<char> Label(ReadOnlySpan<char> subdomain) =>
        subdomain.IsEmpty || TenantId.IsReserved(subdomain) ? default : subdomain;

    private void FindByHeader(IHeaderDictionary headers, ref Finding found)
    {
        var values = headers[HeaderName];

        // Proxies may fold a header that was sent twice into one with a comma.
        if (values.Count > 1 || values.ToString().Contains(',', StringComparison.Ordinal))
        {
            found.Reject($"The header {HeaderName} may be sent once only.");
        }
        else if (values.Count == 1)
        {
            found.Add(values[0].AsSpan().Trim(), null, _registry);
        }
    }

    private void FindByToken(string token, ref Finding found)
    {
        if (!SignedToken.TryRead(token, out var jwt, out _))
        {
            found.Add(BearerToken.TenantOf(token), null, _registry);
            return;
        }

        foreach (var id in _tokens.Find(jwt))
        {
            found.Add(id, null, _registry);
        }
    }

    /// <summary>The name that all ways so far agree on.</summary>
    private struct Finding
    {
        private string? _id;
        private TenantUrl? _url;
        private string? _reason;

        public void Add(ReadOnlySpan<char> id, TenantUrl? url, TenantRegistry registry)
        {
            if (id.IsEmpty)
            {
                return;
            }

            if (_id is null)
            {
                // A known tenant's id is at hand; only an unknown one becomes a new string.
                _id = registry.Get(id)?.Id.Value ?? id.ToString();
                _url = url;
            }
            else if (!id.SequenceEqual(_id))
            {
                _reason ??= Contradiction;
            }
        }

        public void Reject(string reason) => _reason ??= reason;

        public readonly TenantResolution ToResolution() =>
            _reason is not null ? TenantResolution.Rejected(_reason)
            : _id is not null ? TenantResolution.Found(_id, _url)
            : TenantResolution.None;
    }
}
