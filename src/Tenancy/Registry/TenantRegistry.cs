using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>The tenants that this node serves. They come and go at run time; a change is stored first and then applied, whole.</summary>
/// <remarks>
/// Reading takes no lock, allocates nothing and makes no round trip. Tenants are changed by
/// <see cref="Administration.ITenantAdministration"/>.
/// </remarks>
public sealed class TenantRegistry
{
    private readonly TenantTable _table;
    private volatile bool _isLoaded;
    private volatile bool _isComplete;

    internal TenantRegistry(
        ITenantStore store,
        TenantProbe probe,
        TenantConfigRules rules,
        TenantChangeNotifier changes,
        IOptions<TenancyOptions> options,
        TimeProvider time,
        ILogger<TenantRegistry> logger,
        TenancyMetrics? metrics = null
    )
    {
        _table = new(changes);
        var baseDomain = options.Value.CanonicalBaseDomain;
        Checks = new(_table, store, probe, new(store, logger), options.Value.AutoValidate, time, logger, metrics);
        Stored = new(_table, store, probe, new(_table, probe, time, logger), time, logger);
        Changes = new(_table, store, Stored, Checks, probe, rules, baseDomain, time, logger);
        metrics?.ObserveTenants(CountByHealth);
    }

    /// <summary>Gets whether the stored tenants are known, so that they are served.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>
    /// Gets whether all sources of tenants were gone through once, too. Until then nobody is told that a tenant does not exist.
    /// </summary>
    internal bool IsComplete => _isComplete;

    /// <summary>Gets what changes tenants.</summary>
    internal TenantChanges Changes { get; }

    /// <summary>Gets what checks tenants.</summary>
    internal TenantChecks Checks { get; }

    /// <summary>Gets what loads tenants from the store.</summary>
    internal StoredTenants Stored { get; }

    /// <summary>Gets the number of tenants.</summary>
    public int Count => _table.Count;

    /// <summary>Finds the tenant with an id.</summary>
    public TenantModel? Get(TenantId tenantId) => _table.Get(tenantId.Value);

    /// <summary>Finds the tenant with an id that came as text, which may be none.</summary>
    public TenantModel? Get(ReadOnlySpan<char> tenantId) => _table.Get(tenantId);

    /// <summary>Finds the tenant that owns the URL of a host, written as in a Host header.</summary>
    public TenantModel? ResolveByHost(ReadOnlySpan<char> host) => ResolveByRequest(host, default);

    /// <summary>Finds the tenant that owns the longest URL that is a prefix of a host and a path, at segment boundaries.</summary>
    /// <returns>
    /// The tenant, whatever its status and health: traffic of a tenant that is not served never falls through to another.
    /// </returns>
    public TenantModel? ResolveByRequest(ReadOnlySpan<char> host, ReadOnlySpan<char> path) =>
        // Nearly all hosts come as they are kept: what is found as it stands needs no rewriting.
        _table.TryFindUrl(host, path, out var match)
            ? match.Tenant
        : CanonicalHost.MayDiffer(host) ? ResolveByRewrittenHost(host, path)
        : null;

    /// <summary>Finds the tenant with an id, as an admin sees it.</summary>
    public TenantStatus? GetStatus(TenantId tenantId) => Get(tenantId)?.ToStatus();

    /// <summary>Lists the tenants, in no order.</summary>
    public IEnumerable<TenantStatus> List() => _table.Models.Select(model => model.ToStatus());

    internal void MarkLoaded() => _isLoaded = true;

    internal void MarkComplete() => _isComplete = true;

    /// <summary>Finds the tenant URL that is the longest prefix of a canonical host and a path, whatever its tenant's status.</summary>
    internal bool TryFindUrl(
        ReadOnlySpan<char> host,
        ReadOnlySpan<char> path,
        [NotNullWhen(true)] out TenantModel? tenant,
        [NotNullWhen(true)] out TenantUrl? url
    )
    {
        var isFound = _table.TryFindUrl(host, path, out var match);
        (tenant, url) = (match.Tenant, match.Url);
        return isFound;
    }

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    internal bool HasActiveHost(ReadOnlySpan<char> host) => _table.HasActiveHost(host);

    /// <summary>How many tenants are in each state: by health, and those that are suspended apart.</summary>
    // All states are there each time, those of no tenant with 0: an alert can then tell "none" from "not known".
    internal IEnumerable<(string Health, int Count)> CountByHealth() =>
        Enum.GetValues<TenantHealth>()
            .Select(health =>
                (
                    JsonNamingPolicy.CamelCase.ConvertName(health.ToString()),
                    _table.Index.Count(place => place.Health == health && !place.IsSuspended)
                )
            )
            .Append(("suspended", _table.Index.Count(static place => place.IsSuspended)));

    /// <summary>Gives a page of the tenants that fit, by id, with how many fit in all. It costs the page, however many there are.</summary>
    /// <param name="fits">Which tenants fit.</param>
    /// <param name="after">The id that all come after; null for any.</param>
    /// <param name="take">The most tenants.</param>
    internal (TenantStatus[] Tenants, int Count, string? NextCursor) Page(Func<TenantPlace, bool> fits, string? after, int take)
    {
        // One more than fits says whether there is another page.
        var (ids, count) = _table.Index.Page(fits, after, take + 1);
        var next = ids.Length > take ? ids[take - 1] : null;

        // One that went, or is in another state meanwhile, is shown as it is or not at all.
        return ([.. ids.Take(take).Select(id => _table.Get(id)?.ToStatus()).OfType<TenantStatus>()], count, next);
    }

    private TenantModel? ResolveByRewrittenHost(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        return CanonicalHost.TryRead(host, buffer, out var canonical) && TryFindUrl(canonical, path, out var tenant, out _) ? tenant : null;
    }
}
