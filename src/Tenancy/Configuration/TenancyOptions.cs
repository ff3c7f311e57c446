using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Hosting;

namespace Tenancy.Configuration;

/// <summary>The settings of the server: the configuration section <c>Tenancy</c>.</summary>
/// <remarks>A setting that is a list is taken whole from the highest configuration source that has it.</remarks>
public sealed class TenancyOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string SectionName = "Tenancy";

    /// <summary>Gets or sets the ways in which a request names its tenant.</summary>
    /// <value>Default: path, host and header.</value>
    public TenantIdentification Identification { get; set; } =
        TenantIdentification.Path | TenantIdentification.Host | TenantIdentification.Header;

    /// <summary>Gets or sets whether many tenants are served; when false, every request is for <see cref="DefaultTenant"/>.</summary>
    /// <value>Default: true.</value>
    public bool MultiTenant { get; set; } = true;

    /// <summary>Gets or sets the domain whose subdomains are tenants: <c>acme.example.com</c> where this is <c>example.com</c>.</summary>
    public string? BaseDomain { get; set; }

    /// <summary>The base domain in the form in which hosts are compared.</summary>
    internal string? CanonicalBaseDomain => BaseDomain?.TrimEnd('.').ToLowerInvariant();

    /// <summary>Gets or sets the public URL of this server, to which <c>/{tenant}/mcp</c> is added.</summary>
    /// <remarks>
    /// It may have a path of two segments at most, such as <c>https://example.com/api</c> where a proxy serves this server below
    /// <c>/api</c>. Where its host is <see cref="BaseDomain"/>, its scheme, port and path are those of the subdomains, too; else these are
    /// https at the default port. Outside Development it or <see cref="BaseDomain"/> is needed where path, header or token identification
    /// is on.
    /// </remarks>
    public string? PublicUrl { get; set; }

    /// <summary>Gets or sets the tenant of a request that names none.</summary>
    /// <value>Default: none, so that such a request is refused.</value>
    public string? DefaultTenant { get; set; }

    /// <summary>Gets or sets what a tenant gets where its configuration leaves it out.</summary>
    public TenantDefaults Defaults { get; set; } = new();

    /// <summary>Gets or sets the tools that may be called without credentials.</summary>
    /// <remarks>
    /// Where a tenant takes bearer tokens or a scheme, clients without credentials may connect and list these tools, too. At a tenant with
    /// an identity provider they are asked for a token at once, unless its <c>challengeAtCall</c> is true.
    /// </remarks>
    public IReadOnlyList<string> AnonymousTools { get; set; } = [];

    /// <summary>Gets or sets the browser origins that may call, beside <see cref="PublicUrl"/> and the tenant's own URLs.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; set; } = [];

    /// <summary>
    /// Gets or sets the reverse proxies that stand before this server: their addresses or networks, such as <c>10.0.0.5</c> or
    /// <c>10.0.1.0/24</c>. What they say of a request is believed, and what anybody else says is not: <c>X-Forwarded-For</c> is the
    /// client's address, for limits by address; beside it <c>X-Forwarded-Proto</c>, <c>X-Forwarded-Host</c> and <c>X-Forwarded-Prefix</c>
    /// are its scheme, host and the part of the path that the proxy took off.
    /// </summary>
    /// <value>
    /// Default: none, so that these headers are not read. A proxy that is named has to write over all four, or take them out: what it
    /// passes on as it came, its client may have written.
    /// </value>
    public IReadOnlyList<IPNetwork> Proxies { get; set; } = [];

    /// <summary>
    /// Gets or sets the names of headers that pages at allowed origins may send beside those of MCP, such as the one in which a scheme of
    /// the application's takes its credentials.
    /// </summary>
    public IReadOnlyList<string> AllowedHeaders { get; set; } = [];

    /// <summary>Gets or sets the admin API's settings.</summary>
    public AdminOptions Admin { get; set; } = new();

    /// <summary>Gets or sets how much is kept of what was done and refused.</summary>
    public AuditOptions Audit { get; set; } = new();

    /// <summary>Gets or sets how much is kept of what tenants used.</summary>
    public UsageOptions Usage { get; set; } = new();

    /// <summary>Gets or sets how URLs that admins of tenants typed are fetched.</summary>
    public ValidationOptions Validation { get; set; } = new();

    /// <summary>Gets or sets the tenants with which an empty store begins.</summary>
    public IReadOnlyList<TenantRegistration> Tenants { get; set; } = [];

    /// <summary>
    /// Gets or sets whether an environment other than Development may run on the embedded store, which forgets everything when the process
    /// ends.
    /// </summary>
    /// <value>Default: false.</value>
    public bool AcceptEmbeddedStore { get; set; }

    /// <summary>
    /// Gets or sets whether an environment that is not named Development is one for development all the same, such as a test stage.
    /// </summary>
    /// <value>
    /// Default: false. Tokens and admin keys that are easy to guess, <c>localhost</c> as base domain or public URL, the embedded store and
    /// tools for tests of an added library are refused everywhere but in Development. With true they are accepted in any environment but
    /// Production, which refuses this setting, too.
    /// </value>
    public bool AllowDevelopmentValues { get; set; }

    /// <summary>
    /// Gets or sets whether a tenant is validated when it is registered; when false it gets no traffic until an admin rechecks it.
    /// </summary>
    /// <value>Default: true.</value>
    public bool AutoValidate { get; set; } = true;

    /// <summary>
    /// Gets or sets how often a node asks the store what other nodes have changed. They tell each other at once; this is for when such a
    /// message is lost.
    /// </summary>
    /// <value>Default: 1 second.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets for how long a server that is told to stop goes on taking requests, while <c>/health/ready</c> says that it is not
    /// ready: as long as what stands before it needs to notice that. The host's own time to stop (<c>HostOptions.ShutdownTimeout</c>, 30
    /// seconds) has to be longer, or the server does not start.
    /// </summary>
    /// <value>Default: none in Development, 5 seconds elsewhere.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan? DrainTime { get; set; }

    /// <summary>Gets or sets the largest body of a request to an MCP endpoint, in bytes.</summary>
    /// <value>Default: 4 MiB.</value>
    [Range(1024, double.PositiveInfinity), Unit("bytes")]
    public long MaxRequestBodySize { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the bytes of request bodies that this node holds at once for one tenant; what comes beyond is refused with 503.
    /// </summary>
    /// <remarks>It is at least <see cref="MaxRequestBodySize"/>.</remarks>
    /// <value>Default: 32 MiB.</value>
    [Unit("bytes")]
    public long MaxBodyBytesPerTenant { get; set; } = 32 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the bytes of request bodies that this node holds at once for all tenants; what comes beyond is refused with 503.
    /// </summary>
    /// <remarks>It is at least <see cref="MaxBodyBytesPerTenant"/>.</remarks>
    /// <value>Default: 256 MiB.</value>
    [Unit("bytes")]
    public long MaxBodyBytesPerNode { get; set; } = 256 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the time that the body of a request to an MCP endpoint may take to arrive; then it is refused with 408.
    /// </summary>
    /// <value>Default: 30 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan RequestBodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long an event stream may be silent: then a comment is sent, which clients skip, so that no proxy takes the
    /// connection for dead. A call whose client takes event streams begins to be answered after that time, with status 200: what fails
    /// later is said within the stream.
    /// </summary>
    /// <value>Default: 15 seconds. It is to be well below the shortest time after which a proxy in front cuts a silent connection.</value>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets or sets how many tenants have metrics of their own on a node: the first ones that are called, until the process ends. All
    /// others share the tenant <c>_OTHER</c>.
    /// </summary>
    /// <value>Default: 200. Each costs a series of every metric, here and at the collector.</value>
    [Range(0, 100_000), Unit("tenants")]
    public int MetricTenants { get; set; } = 200;

    /// <summary>Whether requests that name no tenant are for this one.</summary>
    internal bool IsDefault(string tenantId) => tenantId == (DefaultTenant ?? (MultiTenant ? null : "default"));

    /// <summary>The schemes that tenants may name, each with the claim that identifies its callers.</summary>
    internal Dictionary<string, AddedScheme> Schemes { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether values for development are good in an environment: in Development, and in any but Production where
    /// <see cref="AllowDevelopmentValues"/> says so.
    /// </summary>
    public bool AcceptDevelopmentValues(IHostEnvironment environment) => DevelopmentValues.AreAllowed(environment, this);
}
