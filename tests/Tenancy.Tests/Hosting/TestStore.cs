using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.State;

namespace Tenancy.Tests.Hosting;

/// <summary>A test's way to a store that runs, without a web server: a tenant of its own, and as many connections as it asks for.</summary>
internal sealed class TestStore(ConfigurationOptions settings, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Whether slow answers are waited for; tests of timeouts have those of a user.</summary>
    public bool IsPatient { get; init; } = true;

    private readonly List<RedisConnection> _connections = [];
    private RedisConnection? _redis;
    private ConnectionMultiplexer? _raw;

    /// <summary>A tenant that no other test has.</summary>
    public TenantId Tenant { get; } = NewTenant();

    public RedisConnection Redis => _redis ??= Connect();

    public static TenantId NewTenant() => TenantId.Parse("t" + Guid.NewGuid().ToString("N")[..16]);

    /// <summary>One more connection, as another node would have.</summary>
    public RedisConnection Connect(TimeProvider? clock = null, Func<ProfilingSession?>? profiler = null, TenancyMetrics? metrics = null)
    {
        var connection = new RedisConnection(
            new ConfigurationBuilder().AddInMemoryCollection(ConnectionStrings()).Build(),
            new TestEnvironment(),
            Options.Create(new TenancyOptions()),
            clock ?? time,
            NullLogger<RedisConnection>.Instance,
            new RunningStore(settings.Clone())
        )
        {
            Profiler = profiler,
            Metrics = metrics,
        };
        _connections.Add(connection);
        return connection;
    }

    // A real server is reached as a user's is.
    private IEnumerable<KeyValuePair<string, string?>> ConnectionStrings() =>
        settings.EndPoints.Any(endPoint => endPoint is System.Net.Sockets.UnixDomainSocketEndPoint)
            ? []
            :
            [
                new(
                    "ConnectionStrings:Redis",
                    string.Join(',', settings.EndPoints.Select(endPoint => endPoint.ToString()!.Split('/')[^1]))
                        + (settings.Password is { } password ? $",password={password}" : "")
                        + (IsPatient ? RedisServer.Patience : "")
                ),
            ];

    public System.Net.EndPoint EndPoint => settings.EndPoints[0];

    /// <summary>The same store, reached through a proxy; its tenant is another.</summary>
    public TestStore Through(StoreProxy proxy) => new(StoreProxy.Through(proxy, settings), time);

    public RedisConnection[] Connect(int count) => [.. Enumerable.Range(0, count).Select(_ => Connect())];

    /// <summary>The store as it is, beneath all that keeps tenants apart.</summary>
    public async Task<IDatabase> RawAsync() => (_raw ??= await ConnectionMultiplexer.ConnectAsync(settings.Clone())).GetDatabase();

    /// <summary>Says how much memory a Redis may take; 0 for as much as there is.</summary>
    public async Task LimitMemoryAsync(long bytes)
    {
        var admin = settings.Clone();
        admin.AllowAdmin = true;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(admin);
        await connection.GetServers()[0].ConfigSetAsync("maxmemory", bytes);
    }

    /// <summary>Leaves a tombstone as deleting a tenant does, of a tenant that was never registered.</summary>
    public async Task MarkDeletedAsync(TenantId tenant) =>
        await (await RawAsync()).HashSetAsync(FleetKeyspace.Metadata(tenant), [new("version", 7), new("purging", 1)]);

    /// <summary>All keys of the store, on all of its masters, each once: SCAN may give one several times.</summary>
    public async Task<string[]> KeysAsync(string pattern = "*")
    {
        var raw = (await RawAsync()).Multiplexer;
        var keys = new HashSet<string>();
        foreach (var server in raw.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            await foreach (var key in server.KeysAsync(pattern: pattern))
            {
                keys.Add(key.ToString());
            }
        }

        return [.. keys];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await (_raw?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private sealed class RunningStore(ConfigurationOptions settings) : IEmbeddedStore
    {
        public ConfigurationOptions Start() => settings;
    }

    private sealed class TestEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Development;

        public string ApplicationName { get; set; } = "tests";

        public string ContentRootPath { get; set; } = AppContext.BaseDirectory;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
