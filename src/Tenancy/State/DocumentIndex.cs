namespace Tenancy.State;

/// <summary>Completes the index of documents by their ids, which a release before it wrote documents without.</summary>
internal static class DocumentIndex
{
    private const int BatchSize = 500;

    /// <summary>Writes all of it, in batches. Commits go on meanwhile, and several nodes may do the same.</summary>
    public static async Task CompleteAsync(RedisConnection redis, TenantKeyspace keys)
    {
        var generation = await redis.GetAsync(keys.Generation).ConfigureAwait(false);
        for (var last = default(StackExchange.Redis.RedisValue); ; )
        {
            var places = await redis.GetRangeByMemberAsync(keys.Documents, last, default, BatchSize).ConfigureAwait(false);
            if (places.Length == 0)
            {
                return;
            }

            await redis
                .EvaluateFencedAsync(
                    StoreScript.DocumentIndex,
                    [keys.Generation, keys.Documents, keys.DocumentIds],
                    [generation.IsNull ? 0 : generation, .. places]
                )
                .ConfigureAwait(false);
            last = places[^1];
        }
    }
}
