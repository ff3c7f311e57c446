using Microsoft.Extensions.Diagnostics.HealthChecks;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>
/// Whether this node can serve tenants: it has loaded them once. It goes on serving from memory while the store is away, and says so.
/// </summary>
internal sealed class ReadyCheck(TenantRegistry registry, StoreDurabilityProbe store) : IHealthCheck
{
    public const string Name = "tenancy";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!registry.IsLoaded)
        {
            return HealthCheckResult.Unhealthy("The tenants are not loaded yet.");
        }

        var durability = await store.GetAsync();
        var data = new Dictionary<string, object> { ["store"] = Word(durability) };
        return durability == StoreDurability.Away
            ? HealthCheckResult.Degraded("The store is away.", data: data)
            : HealthCheckResult.Healthy(data: data);
    }

    private static string Word(StoreDurability durability) =>
        durability switch
        {
            StoreDurability.MemoryOnly => "memory-only",
            StoreDurability.Durable => "durable",
            StoreDurability.Replicated => "replicated",
            _ => "away",
        };
}
