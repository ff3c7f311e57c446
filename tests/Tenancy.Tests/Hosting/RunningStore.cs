using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Tenancy.Embedded;

namespace Tenancy.Tests.Hosting;

/// <summary>A store that was started for tests.</summary>
/// <param name="Settings">How it is reached.</param>
/// <param name="DisposeAsync">Ends it.</param>
internal sealed record RunningStore(ConfigurationOptions Settings, Func<ValueTask> DisposeAsync)
{
    public static async Task<RunningStore> StartAsync(StoreKind kind)
    {
        switch (kind)
        {
            case StoreKind.Redis:
                var redis = await RedisServer.StartAsync();
                return new(ConfigurationOptions.Parse(redis.ConnectionString), redis.DisposeAsync);
            case StoreKind.Cluster:
                var cluster = await RedisCluster.StartAsync();
                return new(ConfigurationOptions.Parse(cluster.ConnectionString), cluster.DisposeAsync);
            default:
                var embedded = new EmbeddedStore(NullLoggerFactory.Instance);
                return new(embedded.Start(), () =>
                {
                    embedded.Dispose();
                    return ValueTask.CompletedTask;
                });
        }
    }
}
