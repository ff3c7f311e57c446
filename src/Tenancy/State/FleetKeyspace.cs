using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// The keys that all tenants share: who exists, and what changed. They lie in one slot, so that a change of a tenant is one script.
/// </summary>
internal static class FleetKeyspace
{
    public static StoreKey Routes { get; } = new("{tenants}:routes");

    public static StoreKey Index { get; } = new("{tenants}:index");

    public static StoreKey Version { get; } = new("{tenants}:version");

    public static StoreKey Changes { get; } = new("{tenants}:changes");

    /// <summary>The tenants that a registration or a deletion has yet to be finished of.</summary>
    public static StoreKey Unfinished { get; } = new("{tenants}:unfinished");

    /// <summary>A tag of each of the last changes, by which a node knows that the store still has the history that it followed.</summary>
    public static StoreKey History { get; } = new("{tenants}:history");

    /// <summary>The nodes, with what each says of itself.</summary>
    public static StoreKey Nodes { get; } = new("{tenants}:nodes");

    /// <summary>When each node was heard of last.</summary>
    public static StoreKey NodeBeats { get; } = new("{tenants}:node-beats");

    /// <summary>The answers to requests of the admin API with an Idempotency-Key, encrypted.</summary>
    public static StoreKey AdminAnswers { get; } = new("{tenants}:admin-answers");

    /// <summary>When each of them is over.</summary>
    public static StoreKey AdminAnswerIndex { get; } = new("{tenants}:admin-answer-index");

    /// <summary>What was done, the earliest first.</summary>
    public static StoreKey Audit { get; } = new("{tenants}:audit");

    /// <summary>The places of these entries by tenant.</summary>
    public static StoreKey AuditPlaces { get; } = new("{tenants}:audit-places");

    /// <summary>What these entries take up, in bytes: in all, and by tenant.</summary>
    public static StoreKey AuditSizes { get; } = new("{tenants}:audit-sizes");

    /// <summary>The tenants in whose own slots entries may wait to be brought here, by when that was noted.</summary>
    public static StoreKey AuditDue { get; } = new("{tenants}:audit-due");

    /// <summary>The last 10,000 things that happened, for those who follow them, by number.</summary>
    public static StoreKey Events { get; } = new("{tenants}:events");

    /// <summary>The number of the last of them.</summary>
    public static StoreKey EventNumber { get; } = new("{tenants}:event-number");

    /// <summary>How many requests were refused, the earliest minute first.</summary>
    public static StoreKey Refusals { get; } = new("{tenants}:refusals");

    /// <summary>The places of these entries by tenant.</summary>
    public static StoreKey RefusalPlaces { get; } = new("{tenants}:refusal-places");

    /// <summary>What these entries take up, in bytes: in all, and by tenant.</summary>
    public static StoreKey RefusalSizes { get; } = new("{tenants}:refusal-sizes");

    /// <summary>The tenants that are unregistered and have left data.</summary>
    public static StoreKey Kept { get; } = new("{tenants}:kept");

    /// <summary>What deleted tenants used, by name.</summary>
    public static StoreKey DeletedUsage { get; } = new("{tenants}:usage");

    /// <summary>These names, by tenant and day.</summary>
    public static StoreKey DeletedUsageNames { get; } = new("{tenants}:usage-names");

    /// <summary>The same names by day alone.</summary>
    public static StoreKey DeletedUsageDays { get; } = new("{tenants}:usage-days");

    /// <summary>Which node runs the scheduled check of a tenant.</summary>
    public static StoreKey Lease(TenantId id) => new($"{{tenants}}:lease:{id.Value}");

    public static StoreKey Metadata(TenantId id) => new($"{{tenants}}:metadata:{id.Value}");
}
