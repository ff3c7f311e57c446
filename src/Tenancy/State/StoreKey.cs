using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>A key of the store. Only a keyspace makes one.</summary>
internal readonly record struct StoreKey(RedisKey Value)
{
    public static implicit operator RedisKey(StoreKey key) => key.Value;
}
