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

    public static StoreKey Metadata(TenantId id) => new($"{{tenants}}:metadata:{id.Value}");
}
