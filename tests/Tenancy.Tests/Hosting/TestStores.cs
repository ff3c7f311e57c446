using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Tenancy.Embedded;
using Tenancy.Tests.Hosting;

[assembly: AssemblyFixture(typeof(TestStores))]

namespace Tenancy.Tests.Hosting;

/// <summary>
/// One store of each kind for the whole run, started when a test first asks for it. Tests share it, and each has tenants of its own.
/// </summary>
public sealed class TestStores : IAsyncDisposable
{
    private readonly ConcurrentDictionary<StoreKind, Lazy<Task<RunningStore>>> _stores = new();

    internal async Task<TestStore> GetAsync(StoreKind kind, TimeProvider? time = null)
    {
        var running = await _stores.GetOrAdd(kind, static kind => new(() => StartAsync(kind))).Value;
        return new(running.Settings, time ?? TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores.Values.Where(store => store is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }))
        {
            await (await store.Value).DisposeAsync();
        }
    }

    private static async Task<RunningStore> StartAsync(StoreKind kind)
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

    private sealed record RunningStore(ConfigurationOptions Settings, Func<ValueTask> DisposeAsync);
}
