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

    /// <summary>Which node runs the scheduled check of a tenant.</summary>
    public static StoreKey Lease(TenantId id) => new($"{{tenants}}:lease:{id.Value}");

    public static StoreKey Metadata(TenantId id) => new($"{{tenants}}:metadata:{id.Value}");
}
