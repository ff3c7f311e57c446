using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>The addresses at which the server listens. In Development tenants are called there, whatever else is configured.</summary>
internal sealed class BoundAddresses(IHostEnvironment environment, IServer? server = null)
{
    /// <summary>Gets whether tenants are called at these addresses without further ado.</summary>
    public bool AreTenants { get; } = environment.IsDevelopment();

    /// <summary>Whether a canonical host is this machine, whoever resolves it.</summary>
    public static bool IsLoopback(ReadOnlySpan<char> host)
    {
        var name = CanonicalHost.WithoutPort(host);
        return name is "localhost"
            || name.EndsWith(".localhost")
            || (TryReadAddress(name, out var address) && IPAddress.IsLoopback(address));
    }

    /// <summary>Whether the server listens at the IP address that a canonical host is.</summary>
    public bool IsAt(ReadOnlySpan<char> host)
    {
        var name = CanonicalHost.WithoutPort(host);
        if (!TryReadAddress(name, out _))
        {
            return false;
        }

        foreach (var bound in Addresses())
        {
            if (name.SequenceEqual(bound.Host))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the server listens at all addresses, and a canonical host is an IP address. DNS names do not count: the owner of a name can
    /// point it at this server.
    /// </summary>
    public bool IsAnyAddress(ReadOnlySpan<char> host) => TryReadAddress(CanonicalHost.WithoutPort(host), out _) && Addresses().Any(IsAny);

    /// <summary>
    /// The origin of a canonical host, where it is this server as it is bound, and this is Development; null elsewhere.
    /// </summary>
    public string? OriginOf(ReadOnlySpan<char> host)
    {
        if (!AreTenants || !(IsLoopback(host) || IsAt(host) || IsAnyAddress(host)))
        {
            return null;
        }

        foreach (var bound in Addresses())
        {
            if (HasPort(host, bound.Port))
            {
                return $"{bound.Scheme}://{host}";
            }
        }

        return null;
    }

    /// <summary>Whether a URL is that of a tenant's endpoint at this server as it is bound, and this is Development.</summary>
    public bool IsEndpointOf(TenantId tenant, string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !CanonicalHost.TryFormat(uri, out var host) || OriginOf(host) is null)
        {
            return false;
        }

        // One URL is one tenant's, as it stands: where its host names one, its path names none; and nothing is left out of it.
        var path = uri.AbsolutePath;
        if (!url.EndsWith(path, StringComparison.Ordinal) || uri.UserInfo.Length > 0 || path.Contains('%', StringComparison.Ordinal))
        {
            return false;
        }

        return NamesTenant(host)
            ? host.StartsWith(tenant.Value + ".", StringComparison.Ordinal) && path.EndsWith(McpEndpoint.Path, StringComparison.Ordinal)
            : path.EndsWith($"/{tenant.Value}{McpEndpoint.Path}", StringComparison.Ordinal);
    }

    // The first label of a name that has several, such as "acme.localhost".
    private static bool NamesTenant(string host)
    {
        var name = CanonicalHost.WithoutPort(host);
        return !TryReadAddress(name, out _) && name.Contains('.');
    }

    // Canonical hosts leave default ports out.
    private static bool HasPort(ReadOnlySpan<char> host, int port)
    {
        var rest = host[CanonicalHost.WithoutPort(host).Length..];
        return rest.IsEmpty
            ? port is 80 or 443
            : int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var named) && named == port;
    }

    private static bool IsAny(BindingAddress bound) =>
        bound.Host is "*" or "+"
        || (TryReadAddress(bound.Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));

    private static bool TryReadAddress(ReadOnlySpan<char> name, out IPAddress address) => IPAddress.TryParse(name.Trim("[]"), out address!);

    private IEnumerable<BindingAddress> Addresses() =>
        (server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
            .Where(static address =>
                !address.Contains("://unix:", StringComparison.OrdinalIgnoreCase)
                && !address.Contains("://pipe:", StringComparison.OrdinalIgnoreCase)
            )
            .Select(BindingAddress.Parse);
}
