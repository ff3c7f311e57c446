using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Tenancy.Configuration;

/// <summary>
/// How this server fetches URLs that admins of tenants typed: <c>Tenancy:Validation</c>. Only the operator sets it, never a tenant.
/// </summary>
public sealed class ValidationOptions
{
    /// <summary>
    /// Gets or sets the networks that may be reached although they are not public, such as <c>10.20.0.0/16</c> for an identity provider on
    /// a company network.
    /// </summary>
    /// <remarks>
    /// All other private, loopback, link-local and special addresses (RFC 6890) are refused; in Development only those that are not
    /// loopback.
    /// </remarks>
    public IReadOnlyList<IPNetwork> AllowedNetworks { get; set; } = [];

    /// <summary>
    /// Gets or sets the HTTP proxy through which such URLs are fetched; it then decides which addresses a name may lead to.
    /// </summary>
    /// <remarks>The proxy of the environment (<c>HTTPS_PROXY</c>) is not used.</remarks>
    [PasswordPropertyText(true)]
    public Uri? Proxy { get; set; }

    /// <summary>Gets or sets the time that one document may take, from resolving the name to its last byte.</summary>
    /// <value>Default: 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets whether such URLs may be http, so that nothing proves who answers.</summary>
    /// <remarks>In Development http is allowed for loopback hosts in any case.</remarks>
    /// <value>Default: false.</value>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// Whether URLs whose host is this machine by name (<c>localhost</c>, <c>127.0.0.1</c>, <c>[::1]</c>) may be fetched, by http, too: in
    /// Development. A name that only leads to this machine may not.
    /// </summary>
    internal bool AllowLoopback { get; set; }

    /// <summary>Whether a URL's scheme is allowed.</summary>
    internal bool AllowsScheme(Uri uri) =>
        uri.Scheme == "https" || (uri.Scheme == "http" && (AllowHttp || (AllowLoopback && uri.IsLoopback)));
}
