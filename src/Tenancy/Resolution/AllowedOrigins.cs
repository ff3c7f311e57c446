using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>
/// The browser origins that may call a tenant: the operator's, and those of the tenant's own URLs; never what the Host header says.
/// </summary>
internal sealed class AllowedOrigins(IOptions<TenancyOptions> options, AllowedHosts hosts, IHostEnvironment environment)
{
    private readonly HashSet<string> _origins = new(
        options.Value.AllowedOrigins.Append(OriginOf(options.Value.PublicUrl)).OfType<string>().Select(origin => origin.TrimEnd('/')),
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Gets what pages may send beside the headers that MCP has.</summary>
    public IReadOnlyList<string> Headers => options.Value.AllowedHeaders;

    private static string? OriginOf(string? url) => url is null ? null : new Uri(url).GetLeftPart(UriPartial.Authority);

    /// <summary>Whether an origin is one of the operator's own.</summary>
    public bool Contains(string origin) => Ascii.IsValid(origin) && _origins.Contains(origin);

    /// <summary>
    /// Whether an origin may call any tenant. In Development that is also this machine, where tools such as MCP Inspector have their pages.
    /// </summary>
    public bool ContainsForAll(string origin) => Contains(origin) || (environment.IsDevelopment() && IsThisMachine(origin));

    private static bool IsThisMachine(string origin) =>
        TryParse(origin, out var url) && !CanonicalHost.WithoutPort(url.Host).EndsWith(".localhost") && BoundAddresses.IsLoopback(url.Host);

    // Browsers write a host in ASCII. An origin is repeated in a header of the answer, which takes nothing else, and reading it as a URL
    // would make one in ASCII of letters in full width.
    private static bool TryParse(string origin, [NotNullWhen(true)] out TenantUrl? url)
    {
        url = null;
        return Ascii.IsValid(origin) && TenantUrl.TryParse(origin, out url, out _) && url.Path.Length == 0;
    }

    public bool Contains(string origin, TenantModel tenant)
    {
        if (ContainsForAll(origin))
        {
            return true;
        }

        if (!TryParse(origin, out var url))
        {
            return false;
        }

        foreach (var own in tenant.Urls)
        {
            if (own.Scheme == url.Scheme && own.Host == url.Host)
            {
                return true;
            }
        }

        // A subdomain of the base domain is its tenant's own; in development at any port.
        return environment.IsDevelopment()
            ? hosts.Subdomain(url.Host).SequenceEqual(tenant.Id.Value)
            : TenantSubdomain.Of(tenant.Id.Value, options.Value) is { } subdomain
                && subdomain.Scheme == url.Scheme
                && subdomain.Host == url.Host;
    }
}
