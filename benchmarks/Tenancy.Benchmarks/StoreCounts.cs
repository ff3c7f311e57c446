using System.Diagnostics;
using System.Globalization;
using ModelContextProtocol.Protocol;
using StackExchange.Redis;
using Tenancy.Benchmarks.Load;

namespace Tenancy.Benchmarks;

/// <summary>
/// Counts what whole servers send to the store for a thousand calls of one busy tenant within a second. Counts are the same on a busy
/// machine, as long as it makes a thousand calls a second.
/// </summary>
internal static class StoreCounts
{
    private const int Calls = 1000;
    private const int Steps = 20;
    private const string Head =
        "| 1,000 calls of one tenant | seconds | scripts | index reads | other reads | looks at tokens |\n|---|--:|--:|--:|--:|--:|";

    private static readonly (string Name, Cell Cell)[] Counted =
    [
        ("calls", Cell.Of("e")),
        ("calls of sessions", Cell.Of("g")),
        ("idempotent writes", Cell.Of("f")),
    ];

    private static readonly string[] IndexReads = ["zrange", "zrangebylex", "zrangebyscore", "zcard"];
    private static readonly Row Row = new(Row.Sessions, RequestMethods.ToolsCall, Row.Json);

    public static async Task RunAsync(string redis, TextWriter output)
    {
        await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(redis + ",allowAdmin=true");
        var server = multiplexer.GetServers().Single();
        await using var issuer = await LoadIssuer.StartAsync();
        await output.WriteLineAsync("\n" + Head);
        foreach (var (name, cell) in Counted)
        {
            using var client = await LoadClient.StartAsync(cell, tenants: 1, redis, issuer);

            // The server learns its callers, and the tenant's slice grows to what it needs.
            await CallAsync(client);
            var before = await CountAsync(server);
            var time = await CallAsync(client);
            var after = await CountAsync(server);
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {name} | {time.TotalSeconds:F1} | {Of("eval", "evalsha")} | {Of(IndexReads)} "
                        + $"| {Of("hget", "hmget", "hgetall", "zscore")} | {Of("get")} |"
                )
            );

            long Of(params string[] commands) =>
                commands.Sum(command => after.GetValueOrDefault(command) - before.GetValueOrDefault(command));
        }

        await output.WriteLineAsync("\nCommands inside of scripts are counted as reads, too: a claim and a commit make some.");
    }

    private static async Task<TimeSpan> CallAsync(LoadClient client)
    {
        var clock = Stopwatch.StartNew();
        for (var step = 1; step <= Steps; step++)
        {
            await client.RunAsync(Row, Calls / Steps);
            var rest = TimeSpan.FromSeconds((double)step / Steps) - clock.Elapsed;
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        }

        return clock.Elapsed;
    }

    private static async Task<Dictionary<string, long>> CountAsync(IServer server)
    {
        const string Prefix = "cmdstat_";
        var lines = (await server.InfoRawAsync("commandstats") ?? "").Split('\n');
        return lines
            .Where(line => line.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(line => line[Prefix.Length..].Split([":calls=", ","], StringSplitOptions.None))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
