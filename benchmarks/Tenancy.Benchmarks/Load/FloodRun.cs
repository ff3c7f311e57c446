using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>
/// What the callers of one tenant notice while others send large bodies without credentials to another tenant of the same server.
/// </summary>
/// <remarks>
/// Whoever sends 4 MiB as fast as it can takes time of the machine's two cores, whatever the server does about it. So the same flood goes
/// to a server of its own in turn with the one that is called, and the latencies of the two are compared. Twice: what differs between two
/// times at the server of its own is noise.
/// </remarks>
internal static class FloodRun
{
    private const int Tenants = 64;
    private const int Rounds = 16;
    private const int Requests = 4000;
    private const int WarmUps = 8;

    /// <exception cref="InvalidOperationException">The large bodies were not refused.</exception>
    public static async Task RunAsync(TextWriter output, TextWriter progress)
    {
        await using var issuer = await LoadIssuer.StartAsync();
        using var redis = await LoadRedis.StartAsync();
        using var called = await StartAsync(issuer, redis, 0);
        using var elsewhere = await StartAsync(issuer, redis, 1);
        await progress.WriteLineAsync("Warming up");
        for (var i = 0; i < WarmUps; i++)
        {
            await MeasureAsync(called, i % 2 == 0 ? called : elsewhere);
        }

        var rounds = new List<(Slice Quiet, Slice Elsewhere, Slice Again, Slice Here)>();
        for (var i = 0; i < Rounds; i++)
        {
            await progress.WriteLineAsync($"Round {i + 1} of {Rounds}");
            var quiet = await MeasureAsync(called, null);
            var first = await MeasureAsync(called, i % 2 == 0 ? elsewhere : called);
            var again = await MeasureAsync(called, elsewhere);
            var last = await MeasureAsync(called, i % 2 == 0 ? called : elsewhere);
            rounds.Add(i % 2 == 0 ? (quiet, first, again, last) : (quiet, last, again, first));
        }

        await WriteAsync(output, rounds);
    }

    private static Task<LoadClient> StartAsync(LoadIssuer issuer, LoadRedis? redis, int database) =>
        LoadClient.StartAsync(Cell.Of("h"), Tenants, redis?.ConnectionString(database) ?? "", issuer);

    private static async Task<Slice> MeasureAsync(LoadClient called, LoadClient? flooded)
    {
        var row = Row.Few[0];
        if (flooded is null)
        {
            return await called.RunAsync(row, Requests, ExceptFlooded);
        }

        await using var flood = new BodyFlood(flooded.Server.Address, LoadTenants.Called(Tenants).First().Tenant);
        await flood.IsUnderWay;
        return await called.RunAsync(row, Requests, ExceptFlooded);
    }

    private static bool ExceptFlooded(Caller caller) => caller.Tenant != LoadTenants.Called(Tenants).First().Tenant;

    private static async Task WriteAsync(TextWriter output, List<(Slice Quiet, Slice Elsewhere, Slice Again, Slice Here)> rounds)
    {
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{LoadReport.Machine()}, {Environment.ProcessorCount} cores, which servers, callers and flood share; "
                    + $"{rounds.Count} rounds of {Requests} requests of each kind; "
                    + $"{BodyFlood.Senders} senders of {BodyFlood.Size / 1024 / 1024} MiB"
            )
        );
        await output.WriteLineAsync();
        await output.WriteLineAsync("| callers of a tenant, while the bodies go | p50 | p99 | p99, against those of another server |");
        await output.WriteLineAsync("|---|--:|--:|---|");
        await LineAsync("nowhere", round => round.Quiet);
        await LineAsync("to another server", round => round.Elsewhere);
        await LineAsync("to another server, once more: noise", round => round.Again);
        await LineAsync("to another tenant of theirs", round => round.Here);

        Task LineAsync(string name, Func<(Slice Quiet, Slice Elsewhere, Slice Again, Slice Here), Slice> of)
        {
            var (p50, p99) = (Quartiles.Of(rounds.Select(one => of(one).Median)), Quartiles.Of(rounds.Select(one => of(one).Tail)));
            var ratio = Quartiles.Of(rounds.Select(one => of(one).Tail / one.Elsewhere.Tail));
            return output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"| {name} | {p50.Median:0.00} ms | {p99.Median:0.00} ms | {ratio} |")
            );
        }
    }
}
