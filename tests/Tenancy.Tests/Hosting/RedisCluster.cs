using System.Diagnostics;
using StackExchange.Redis;

namespace Tenancy.Tests.Hosting;

/// <summary>A Redis Cluster on loopback: three masters with a replica each.</summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private const int Nodes = 6;
    private readonly RedisServer[] _nodes;

    private RedisCluster(RedisServer[] nodes) => _nodes = nodes;

    public string ConnectionString => string.Join(',', _nodes.Select(node => node.ConnectionString));

    public static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster(await StartNodesAsync());
        try
        {
            await CliAsync([
                "--cluster",
                "create",
                .. cluster._nodes.Select(node => node.ConnectionString),
                "--cluster-replicas",
                "1",
                "--cluster-yes",
            ]);
            foreach (var node in cluster._nodes)
            {
                await cluster.UntilAsync(node, ["cluster", "info"], "cluster_state:ok");
                await cluster.UntilAsync(node, ["info", "replication"], "role:master", "master_link_status:up");
            }
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>Kills the node at an address, as a crash would.</summary>
    public Task KillAsync(string address) => _nodes.Single(node => node.ConnectionString == address).StopAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static async Task<RedisServer[]> StartNodesAsync()
    {
        var starts = Enumerable.Range(0, Nodes).Select(_ => StartNodeAsync()).ToArray();
        try
        {
            return await Task.WhenAll(starts);
        }
        catch
        {
            foreach (var start in starts.Where(start => start.IsCompletedSuccessfully))
            {
                await (await start).DisposeAsync();
            }

            throw;
        }
    }

    // The port of the bus is chosen here, and somebody else may take it before it is used.
    private static async Task<RedisServer> StartNodeAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await RedisServer.StartAsync(
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    $"{RedisServer.FreePort()}",
                    "--cluster-config-file",
                    "nodes.conf",
                    "--cluster-node-timeout",
                    "1000",
                    "--cluster-require-full-coverage",
                    "no",
                    "--repl-diskless-sync-delay",
                    "0"
                );
            }
            catch (RedisException) when (attempt < 5) { }
        }
    }

    /// <summary>Asks a node until its answer has one of the texts.</summary>
    private async Task UntilAsync(RedisServer node, string[] command, params string[] texts)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(60); )
        {
            var answer = await CliAsync(["-h", "127.0.0.1", "-p", node.ConnectionString.Split(':')[1], .. command]);
            if (texts.Any(text => answer.Contains(text, StringComparison.Ordinal)))
            {
                return;
            }

            // It is other processes that are waited for.
            await Task.Delay(20);
        }

        Assert.Fail($"The cluster of {ConnectionString} did not form: '{string.Join(' ', command)}' never said '{texts[^1]}'.");
    }

    private static async Task<string> CliAsync(string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("redis-cli", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var errors = process.StandardError.ReadToEndAsync(enough.Token);
            var output = await process.StandardOutput.ReadToEndAsync(enough.Token);
            await process.WaitForExitAsync(enough.Token);
            Assert.True(process.ExitCode == 0, $"redis-cli {string.Join(' ', arguments)}: {output} {await errors}");
            return output;
        }
        finally
        {
            process.Kill();
        }
    }
}
