using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Asks the store how durable it is, once a second at most: anybody can ask whether the server is ready, and as often as they like.
/// </summary>
internal sealed class StoreDurabilityProbe(RedisConnection redis, TimeProvider time)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<StoreDurability>? _answer;
    private long _askedAt;

    /// <summary>Gives the answer of this second. Who comes while the store is asked shares that question.</summary>
    public Task<StoreDurability> GetAsync()
    {
        lock (_lock)
        {
            if (_answer is null || (_answer.IsCompleted && time.GetElapsedTime(_askedAt) >= Freshness))
            {
                _askedAt = time.GetTimestamp();
                _answer = AskAsync();
            }

            return _answer;
        }
    }

    private async Task<StoreDurability> AskAsync()
    {
        if (redis.IsEmbedded)
        {
            return StoreDurability.MemoryOnly;
        }

        try
        {
            var isDurable = (await redis.GetInfoAsync("persistence").ConfigureAwait(false)).Contains(
                "aof_enabled:1",
                StringComparison.Ordinal
            );
            var hasReplica =
                isDurable
                && !(await redis.GetInfoAsync("replication").ConfigureAwait(false)).Contains(
                    "connected_slaves:0",
                    StringComparison.Ordinal
                );
            return hasReplica ? StoreDurability.Replicated
                : isDurable ? StoreDurability.Durable
                : StoreDurability.MemoryOnly;
        }
        catch (StoreUnavailableException)
        {
            return StoreDurability.Away;
        }
    }
}
