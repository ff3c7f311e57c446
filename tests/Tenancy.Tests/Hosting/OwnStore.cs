using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Tenancy.Embedded;

namespace Tenancy.Tests.Hosting;

/// <summary>A store that a test shares with no other, for what concerns all tenants of a store.</summary>
internal sealed class OwnStore : IAsyncDisposable
{
    private readonly Func<ValueTask> _end;

    private OwnStore(ConfigurationOptions settings, Func<ValueTask> end) => (Store, _end) = (new(settings, TimeProvider.System), end);

    public TestStore Store { get; }

    public static async Task<OwnStore> StartAsync(StoreKind kind)
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

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await _end();
    }
}
