using System.ComponentModel.DataAnnotations;

namespace Tenancy.Configuration;

/// <summary>The settings of the admin API: <c>Tenancy:Admin</c>.</summary>
public sealed class AdminOptions
{
    /// <summary>Gets or sets the keys that the header <c>X-Admin-API-Key</c> may carry; several are valid at once, for rotation.</summary>
    /// <value>Default: none, which means no admin API.</value>
    public IReadOnlyList<string> Keys { get; set; } = [];

    /// <summary>Gets or sets keys that read, and change nothing.</summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<string> ReadKeys { get; set; } = [];

    /// <summary>Gets or sets keys for one tenant each, as <c>acme=KEY</c>: the tenant's id, <c>=</c> and the key.</summary>
    /// <value>Default: none. To such a key no other tenant exists, and it registers none.</value>
    public IReadOnlyList<string> TenantKeys { get; set; } = [];

    /// <summary>Gets or sets keys that read one tenant each, as <c>acme=KEY</c>.</summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<string> TenantReadKeys { get; set; } = [];

    /// <summary>Gets or sets how many requests a minute one key may make at a node; all of them may come at once.</summary>
    /// <value>Default: 300. Raise it for a program that keeps very many tenants up to date; beyond it the answer is 429.</value>
    [Range(1, 1_000_000), Unit("requests a minute")]
    public int RequestsPerMinute { get; set; } = 300;

    /// <summary>What stands between a tenant and its key.</summary>
    internal const char TenantSeparator = '=';

    /// <summary>
    /// Gets or sets the hosts at which the admin API answers beside those of <see cref="TenancyOptions.PublicUrl"/> and
    /// <see cref="TenancyOptions.BaseDomain"/>, such as <c>admin.internal</c> or <c>10.0.0.5:8080</c>. In Development loopback hosts are
    /// allowed, too.
    /// </summary>
    /// <value>Default: none. A host without a port is allowed at any port.</value>
    public IReadOnlyList<string> AllowedHosts { get; set; } = [];
}
