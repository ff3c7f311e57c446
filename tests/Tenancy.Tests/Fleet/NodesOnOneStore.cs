using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>Nodes on one Redis.</summary>
internal sealed class NodesOnOneStore : IAsyncDisposable
{
    private NodesOnOneStore(RedisServer redis, TenancyServer[] nodes) => (Redis, Nodes) = (redis, nodes);

    public RedisServer Redis { get; }

    public TenancyServer[] Nodes { get; }

    public TenancyServer this[int node] => Nodes[node];

    /// <param name="count">How many nodes.</param>
    /// <param name="pollInterval">How often they ask the store for changes.</param>
    /// <param name="areHeard">Whether what they tell each other arrives.</param>
    /// <param name="services">Further services of a node, by its number.</param>
    public static async Task<NodesOnOneStore> StartAsync(
        int count = 2,
        string pollInterval = "00:01:00",
        bool areHeard = true,
        Action<int, IServiceCollection>? services = null
    )
    {
        var redis = await RedisServer.StartAsync();
        var nodes = new List<TenancyServer>();
        try
        {
            if (!areHeard)
            {
                await redis.ExecuteAsync("ACL", "SETUSER", "default", "resetchannels");
            }

            var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:PollInterval"] = pollInterval };
            for (var i = 0; i < count; i++)
            {
                var number = i;
                nodes.Add(await TenancyServer.StartAsync(redis: redis, settings: settings, services: all =>
                    {
                        all.AddSingleton<HeardChanges>();
                        all.AddSingleton<ITenantChangeListener>(provider => provider.GetRequiredService<HeardChanges>());
                        services?.Invoke(number, all);
                    }));
            }

            return new(redis, [.. nodes]);
        }
        catch
        {
            await new NodesOnOneStore(redis, [.. nodes]).DisposeAsync();
            throw;
        }
    }

    public TenantRegistry Registry(int node) => Nodes[node].Services.GetRequiredService<TenantRegistry>();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }

    /// <summary>Waits until a call to a node is answered with a status, and gives how long that took.</summary>
    public async Task<TimeSpan> UntilAsync(int node, string tenant, string? token, HttpStatusCode status)
    {
        var clock = Stopwatch.StartNew();
        await Poll.UntilAsync(async () => await StatusAsync(node, tenant, token) == status);
        return clock.Elapsed;
    }

    public async Task<HttpStatusCode> StatusAsync(int node, string tenant, string? token)
    {
        using var request = McpCalls.Post(Nodes[node].Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await Nodes[node].Client.SendAsync(request);
        return response.StatusCode;
    }
}

/// <summary>The changes that an application's listener is told of.</summary>
internal sealed class HeardChanges : ITenantChangeListener
{
    private readonly ConcurrentQueue<TenantChange> _all = new();

    public void OnTenantChanged(TenantChange change) => _all.Enqueue(change);

    public TenantChangeKind[] Kinds(string tenant) =>
        [.. _all.Where(change => change.TenantId.Value == tenant && change.Kind != TenantChangeKind.Health).Select(change => change.Kind)];
}
