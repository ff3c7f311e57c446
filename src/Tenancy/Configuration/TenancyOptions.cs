using System.ComponentModel.DataAnnotations;
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

    /// <summary>Gets or sets the admin API's settings.</summary>
    public AdminOptions Admin { get; set; } = new();

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
    /// seconds) has to be longer.
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

    /// <summary>Whether requests that name no tenant are for this one.</summary>
    internal bool IsDefault(string tenantId) => tenantId == (DefaultTenant ?? (MultiTenant ? null : "default"));

    /// <summary>The schemes that tenants may name, each with the claim that identifies its callers.</summary>
    internal Dictionary<string, string> Schemes { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether values for development are good in an environment: in Development, and in any but Production where
    /// <see cref="AllowDevelopmentValues"/> says so.
    /// </summary>
    public bool AcceptDevelopmentValues(IHostEnvironment environment) => DevelopmentValues.AreAllowed(environment, this);
}

/// <summary>What a tenant gets where its configuration leaves it out: <c>Tenancy:Defaults</c>.</summary>
public sealed class TenantDefaults
{
    /// <summary>Gets or sets the authentication.</summary>
    /// <value>Default: bearer.</value>
    public TenantAuthentication Authentication { get; set; } = new() { Kind = TenantAuthenticationKind.Bearer };

    /// <summary>Gets or sets the quotas.</summary>
    public TenantLimits Limits { get; set; } = new();

    /// <summary>Gets or sets the platform.</summary>
    /// <value>Default: the first that was added.</value>
    public string? Platform { get; set; }
}

/// <summary>The settings of the admin API: <c>Tenancy:Admin</c>.</summary>
public sealed class AdminOptions
{
    /// <summary>Gets or sets the keys that the header <c>X-Admin-API-Key</c> may carry; several are valid at once, for rotation.</summary>
    /// <value>Default: none, which means no admin API.</value>
    public IReadOnlyList<string> Keys { get; set; } = [];

    /// <summary>
    /// Gets or sets the hosts at which the admin API answers beside those of <see cref="TenancyOptions.PublicUrl"/> and
    /// <see cref="TenancyOptions.BaseDomain"/>, such as <c>admin.internal</c> or <c>10.0.0.5:8080</c>. In Development loopback hosts are
    /// allowed, too.
    /// </summary>
    /// <value>Default: none. A host without a port is allowed at any port.</value>
    public IReadOnlyList<string> AllowedHosts { get; set; } = [];
}

/// <summary>A tenant to be registered, with the principals that it begins with.</summary>
public sealed record TenantRegistration
{
    /// <summary>Gets the tenant.</summary>
    public required TenantConfig Tenant { get; init; }

    /// <summary>Gets the principals whose bearer tokens the tenant accepts.</summary>
    public IReadOnlyList<PrincipalRegistration> Principals { get; init; } = [];

    /// <summary>Gets whose the tenant is at the source that gives it, such as the key of a customer. Default: it is not said.</summary>
    /// <remarks>
    /// An id may be given to another customer later. Where a source gave a tenant no more, and gives its id again, the new tenant has what
    /// the former one left only where both name the same owner. Only a source's counts.
    /// </remarks>
    public string? Owner { get; init; }
}

/// <summary>A principal to be created.</summary>
public sealed record PrincipalRegistration
{
    internal const int MaxScopes = 50;

    /// <summary>Gets the name that people see; it identifies nobody.</summary>
    [Length(1, 200)]
    public required string Name { get; init; }

    /// <summary>Gets the bearer token, which begins with the tenant's id and a dot. Default: a generated one.</summary>
    public string? Token { get; init; }

    /// <summary>Gets what the principal may do (RFC 6749, section 3.3). Default: nothing that asks for a scope.</summary>
    [MaxLength(MaxScopes)]
    public IReadOnlyList<string> Scopes
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value ?? [];
    } = [];
}
