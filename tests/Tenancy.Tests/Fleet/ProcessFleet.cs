using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>Nodes that are processes, on a Redis or a Redis Cluster; each has a way to the store of its own.</summary>
internal sealed class ProcessFleet : IAsyncDisposable
{
    private readonly List<NodeProcess> _nodes = [];
    private readonly List<StoreLink> _links = [];
    private readonly RedisCluster? _cluster;

    private ProcessFleet(RedisServer? redis, RedisCluster? cluster) => (Redis, _cluster) = (redis!, cluster);

    /// <summary>The store, where it is no cluster.</summary>
    public RedisServer Redis { get; }

    /// <summary>The store's connection string, for a way that no test cuts.</summary>
    public string Store => _cluster?.ConnectionString ?? Redis.ConnectionString;

    public IReadOnlyList<NodeProcess> Nodes => _nodes;

    public IReadOnlyList<StoreLink> Links => _links;

    public static async Task<ProcessFleet> StartAsync(
        int count = 3,
        bool isCluster = false,
        string pollInterval = "00:00:01",
        bool isPatient = true,
        IReadOnlyDictionary<string, string>? settings = null
    )
    {
        var fleet = new ProcessFleet(isCluster ? null : await RedisServer.StartAsync(), isCluster ? await RedisCluster.StartAsync() : null);
        try
        {
            var store = fleet.Store + (isPatient ? RedisServer.Patience : "");
            var all = new Dictionary<string, string>(settings ?? new Dictionary<string, string>())
            {
                ["Tenancy__PollInterval"] = pollInterval,
            };
            fleet._links.AddRange(Enumerable.Range(0, count).Select(_ => new StoreLink()));
            var starts = fleet._links.Select(link => NodeProcess.StartAsync(link.Through(store), all)).ToArray();
            try
            {
                await Task.WhenAll(starts);
            }
            finally
            {
                // Where one does not start, the others go with the fleet.
                foreach (var start in starts.Where(start => start.IsCompletedSuccessfully))
                {
                    fleet._nodes.Add(await start);
                }
            }

            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>Does something as an admin at a node, which must succeed.</summary>
    public async Task<JsonNode> AdminAsync(int node, HttpMethod method, string path, object? body = null)
    {
        var (status, answer) = await Nodes[node].AdminAsync(method, path, body);
        Assert.True((int)status is >= 200 and < 300, $"{method} {path} at node {node}: {(int)status} {answer}");
        return answer ?? new JsonObject();
    }

    /// <summary>Registers a tenant, and gives the token of its one principal.</summary>
    public async Task<string> RegisterAsync(int node, string tenant)
    {
        var made = await AdminAsync(node, HttpMethod.Post, "/tenants", new { id = tenant, principals = new[] { new { name = "buyer" } } });
        return made["principals"]![0]!["token"]!.ToString();
    }

    /// <summary>Waits until a node serves something as it should, and gives how long that took.</summary>
    public async Task<TimeSpan> UntilAsync(int node, string tenant, string token, HttpStatusCode status)
    {
        var clock = Stopwatch.StartNew();
        while ((await Nodes[node].CallAsync(tenant, token, "whoami")).Status != status)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"Node {node} did not answer {status} for {tenant} within 20 seconds.");
            await Task.Delay(2);
        }

        return clock.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        foreach (var link in _links)
        {
            await link.DisposeAsync();
        }

        await (Redis?.DisposeAsync() ?? default);
        await (_cluster?.DisposeAsync() ?? default);
    }
}
