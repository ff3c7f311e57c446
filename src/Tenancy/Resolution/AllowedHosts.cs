using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>
/// The hosts at which tenants may be called. A request at any other is refused, so that no page of another site can reach a tenant by DNS
/// rebinding.
/// </summary>
internal sealed class AllowedHosts
{
    private readonly TenantRegistry _registry;
    private readonly string? _publicHost;
    private readonly string[] _adminHosts;
    private readonly bool _isDevelopment;
    private readonly bool _isAnyAllowed;
    private readonly BoundAddresses _bound;

    public AllowedHosts(TenantRegistry registry, IOptions<TenancyOptions> options, IHostEnvironment environment, BoundAddresses bound)
    {
        _registry = registry;
        _bound = bound;
        _isDevelopment = environment.IsDevelopment();
        BaseDomain = options.Value.CanonicalBaseDomain;
        _publicHost = TenantUrl.TryParse(options.Value.PublicUrl, out var url, out _) ? url.Host : null;
        _adminHosts = [.. options.Value.Admin.AllowedHosts.Select(Canonical).OfType<string>()];

        // A server for one tenant, with neither a public URL nor a base domain, takes requests at any host: its operator has said none.
        _isAnyAllowed = !options.Value.MultiTenant && _publicHost is null && BaseDomain is null;
    }

    /// <summary>The domain whose subdomains are tenants, in canonical form.</summary>
    public string? BaseDomain { get; }

    public bool Contains(ReadOnlySpan<char> host) =>
        _registry.HasActiveHost(host) || IsOurs(host) || (_isDevelopment && (IsLocal(host) || _bound.IsAnyAddress(host))) || _isAnyAllowed;

    /// <summary>Whether the admin API answers at a host.</summary>
    /// <remarks>
    /// Hosts of the tenants' own URLs are left out: whoever runs a tenant controls their DNS. In Development, where everybody knows the
    /// key, only local hosts are added to those that are configured.
    /// </remarks>
    public bool ContainsForAdmin(ReadOnlySpan<char> host) =>
        IsOurs(host) || IsAdminHost(host) || (_isDevelopment ? IsLocal(host) : _isAnyAllowed);

    /// <summary>Whether pages of a host are this server's own, so that they may call the admin API there.</summary>
    /// <remarks>
    /// Subdomains are left out, because their pages are the tenants', and so is a server that takes requests at any host: there a page of
    /// another site reaches it by DNS rebinding.
    /// </remarks>
    public bool IsOwnForAdmin(ReadOnlySpan<char> host) =>
        Subdomain(host).IsEmpty && (IsOurs(host) || IsAdminHost(host) || IsDevelopment(host));

    /// <summary>
    /// The part of a host before <see cref="BaseDomain"/>; empty where it is not below it, and at the public URL's host, which names no
    /// tenant.
    /// </summary>
    public ReadOnlySpan<char> Subdomain(ReadOnlySpan<char> host)
    {
        var name = CanonicalHost.WithoutPort(host);
        return
            BaseDomain is { } domain
            && name.Length > domain.Length + 1
            && name.EndsWith(domain)
            && name[^(domain.Length + 1)] == '.'
            && !name.SequenceEqual(CanonicalHost.WithoutPort(_publicHost))
            ? name[..^(domain.Length + 1)]
            : default;
    }

    private bool IsOurs(ReadOnlySpan<char> host) =>
        (_publicHost is not null && host.SequenceEqual(_publicHost))
        || (BaseDomain is not null && CanonicalHost.WithoutPort(host).SequenceEqual(BaseDomain))
        || !Subdomain(host).IsEmpty;

    private bool IsDevelopment(ReadOnlySpan<char> host) => _isDevelopment && IsLocal(host);

    // An entry without a port stands for the host at any port.
    private bool IsAdminHost(ReadOnlySpan<char> host)
    {
        foreach (var allowed in _adminHosts)
        {
            if (host.SequenceEqual(allowed) || CanonicalHost.WithoutPort(host).SequenceEqual(allowed))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Canonical(string host) =>
        CanonicalHost.TryRead(host, new char[CanonicalHost.MaxLength], out var canonical) ? canonical.ToString() : null;

    private bool IsLocal(ReadOnlySpan<char> host) => BoundAddresses.IsLoopback(host) || _bound.IsAt(host);
}
