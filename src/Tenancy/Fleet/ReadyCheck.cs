using Microsoft.Extensions.Diagnostics.HealthChecks;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>
/// Whether this node can serve tenants: it has loaded them once, and does not stop. It goes on serving from memory while the store is away
/// or cannot be followed, and says so.
/// </summary>
internal sealed class ReadyCheck(TenantRegistry registry, StoreDurabilityProbe store, TenantFollower follower, NodeDrain drain)
    : IHealthCheck
{
    public const string Name = "tenancy";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (drain.HasBegun)
        {
            return HealthCheckResult.Unhealthy("The server stops.");
        }

        if (!registry.IsLoaded)
        {
            return HealthCheckResult.Unhealthy("The tenants are not loaded yet.");
        }

        var durability = await store.GetAsync();
        var data = new Dictionary<string, object> { ["store"] = durability.ToWord() };
        return durability == StoreDurability.Away ? HealthCheckResult.Degraded("The store is away.", data: data)
            : follower.Lag > TenantFollower.MaxLag
                ? HealthCheckResult.Degraded("Changes of other nodes are not seen: the log says why.", data: data)
            : HealthCheckResult.Healthy(data: data);
    }
}
