using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Audit;
using Tenancy.Benchmarks.Load;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Benchmarks.Fleet;

/// <summary>
/// What a fleet of three costs on one Redis that has many tenants: start, memory, commands while nothing happens, and how soon a change is
/// seen by another node.
/// </summary>
internal static class FleetRun
{
    private const int Nodes = 3;
    private const int Changes = 300;
    private const int Callers = 4;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(string program, int tenants, TextWriter output)
    {
        using var redis = await LoadRedis.StartAsync() ?? throw new InvalidOperationException("redis-server is not installed.");
        var store = redis.ConnectionString(0);

        // Once, so that the code is in the machine's memory.
        using (await FleetNode.StartAsync(program, store)) { }

        long empty;
        using (var node = await FleetNode.StartAsync(program, store))
        {
            await Task.Delay(TimeSpan.FromSeconds(5));
            empty = node.Memory;
            await output.WriteLineAsync($"no tenant: ready after {node.Started.TotalSeconds:0.00} s, {empty / 1e6:0} MB");
        }

        await FillAsync(store, tenants);
        var nodes = new List<FleetNode>();
        try
        {
            for (var i = 0; i < Nodes; i++)
            {
                var node = await FleetNode.StartAsync(program, store);
                nodes.Add(node);
                await output.WriteLineAsync($"{tenants:N0} tenants: ready after {node.Started.TotalSeconds:0.00} s");
            }

            await MeasureAsync(nodes, store, empty, tenants, output);
        }
        finally
        {
            nodes.ForEach(node => node.Dispose());
        }
    }

    private static async Task MeasureAsync(List<FleetNode> nodes, string store, long empty, int tenants, TextWriter output)
    {
        await Task.Delay(TimeSpan.FromSeconds(10));
        foreach (var node in nodes)
        {
            await output.WriteLineAsync(
                $"  {node.Memory / 1e6:0} MB: {(node.Memory - empty) / (double)tenants:0} bytes of the process for each tenant"
            );
        }

        await using var connection = await ConnectionMultiplexer.ConnectAsync(store + ",allowAdmin=true");
        var before = await CommandsAsync(connection);
        await Task.Delay(Idle);
        var commands = await CommandsAsync(connection) - before;
        await output.WriteLineAsync($"idle fleet of {Nodes}: {commands / Idle.TotalSeconds:0.0} commands a second");

        await MeasureChangesAsync(nodes, "idle", output);
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, Callers).Select(i => LoadAsync(nodes[i % Nodes], i, tenants, enough.Token)).ToArray();
        var clock = Stopwatch.StartNew();
        await MeasureChangesAsync(nodes, $"{Callers} callers", output);
        await enough.CancelAsync();
        var calls = (await Task.WhenAll(load)).Sum();
        await output.WriteLineAsync($"  beside {calls / clock.Elapsed.TotalSeconds:0} calls a second");
    }

    private static async Task FillAsync(string redis, int count)
    {
        var options = Options.Create(new TenancyOptions());
        await using var connection = new RedisConnection(
            new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Redis", redis)]).Build(),
            new HostingEnvironment { EnvironmentName = "Development" },
            options,
            TimeProvider.System,
            NullLogger<RedisConnection>.Instance
        );
        using var secrets = new SecretProtector(
            connection,
            protections: [],
            NullLoggerFactory.Instance,
            NullLogger<SecretProtector>.Instance,
            TimeProvider.System
        );
        var store = new RedisTenantStore(connection, new(connection, NullLogger<FleetMessages>.Instance), secrets, options);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var record = new TenantRecord
            {
                Config = Tenants.Config(i) with
                {
                    Name = $"Tenant {i}",
                    Platform = "publisher",
                    Authentication = new() { Kind = TenantAuthenticationKind.Bearer },
                    Limits = new(),
                },
                Version = 0,
                CreatedAt = DateTimeOffset.UtcNow,
                SessionEpoch = Guid.NewGuid().ToString("N"),
                Origin = TenantOrigin.Admin,
                Check = new(TenantHealth.Healthy, null, DateTimeOffset.UtcNow),
            };
            if (
                await store.CreateAsync(record, TenantCreation.New, [], AuditEntry.Of(AuditAction.TenantRegistered, record.Config.Id))
                is not TenantWrite.Written
            )
            {
                throw new InvalidOperationException("A tenant could not be stored.");
            }
        });
    }

    /// <summary>Suspends a tenant at one node and lets it back in, and times from the answer until another node does the same.</summary>
    private static async Task MeasureChangesAsync(List<FleetNode> nodes, string name, TextWriter output)
    {
        var times = new List<double>();
        for (var i = 0; i < Changes; i++)
        {
            var (made, seen, isSuspended) = (nodes[i % Nodes], nodes[(i + 1) % Nodes], i % 2 == 0);
            await made.AdminAsync(
                HttpMethod.Patch,
                "tenants/" + Tenants.Id(7),
                $$"""{"status":"{{(isSuspended ? "suspended" : "active")}}"}"""
            );
            var clock = Stopwatch.StartNew();
            while (await seen.AskAsync(Tenants.Id(7)) != (isSuspended ? HttpStatusCode.NotFound : HttpStatusCode.OK))
            {
                await Task.Yield();
            }

            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        await output.WriteLineAsync(
            $"change seen by another node, {name}: p50 {times[times.Count / 2]:0.0} ms, p99 {times[times.Count * 99 / 100]:0.0} ms, "
                + $"at most {times[^1]:0.0} ms"
        );
    }

    private static async Task<int> LoadAsync(FleetNode node, int caller, int tenants, CancellationToken enough)
    {
        var count = 0;
        while (!enough.IsCancellationRequested)
        {
            // Without credentials an address has 60 calls a minute at each tenant.
            await node.CallAsync(Tenants.Id((caller * 1000) + 10 + (count++ % Math.Min(900, tenants / 10))));
        }

        return count;
    }

    private static async Task<long> CommandsAsync(ConnectionMultiplexer connection)
    {
        var said = await connection.GetServers()[0].InfoRawAsync("stats");
        const string Name = "total_commands_processed:";
        var line = said!.Split("\r\n").Single(line => line.StartsWith(Name, StringComparison.Ordinal));
        return long.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
    }
}
