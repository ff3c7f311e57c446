using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Asks the store how durable it is.</summary>
internal sealed class StoreDurabilityProbe(RedisConnection redis)
{
    public async Task<StoreDurability> GetAsync()
    {
        if (redis.IsEmbedded)
        {
            return StoreDurability.MemoryOnly;
        }

        try
        {
            var isDurable = (await redis.GetInfoAsync("persistence").ConfigureAwait(false)).Contains("aof_enabled:1", StringComparison.Ordinal);
            var hasReplica = isDurable && !(await redis.GetInfoAsync("replication").ConfigureAwait(false)).Contains("connected_slaves:0", StringComparison.Ordinal);
            return hasReplica ? StoreDurability.Replicated : isDurable ? StoreDurability.Durable : StoreDurability.MemoryOnly;
        }
        catch (StoreUnavailableException)
        {
            return StoreDurability.Away;
        }
    }
}
