using System.Diagnostics;
using Tenancy.Configuration;

namespace Tenancy.Benchmarks.Load;

/// <summary>Servers with and without tenants under the same load: what a request costs them, one against the other.</summary>
internal sealed class LoadRun(LoadPlan plan, LoadIssuer issuer, TextWriter progress)
{
    private const string Usage = "Usage: benchmarks/load/run [--quick] [--json FILE]";
    private string _store = "";

    /// <summary>Runs the benchmark that the options ask for.</summary>
    /// <returns>The exit code: 0 where everything was answered as it should be, whatever it cost.</returns>
    public static async Task<int> RunAsync(string[] options, TextWriter output)
    {
        var (plan, file) = (LoadPlan.Full, (string?)null);
        for (var i = 0; i < options.Length; i++)
        {
            switch (options[i])
            {
                case "--quick":
                    plan = LoadPlan.Quick;
                    break;
                case "--json" when i + 1 < options.Length && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(options[i + 1]))):
                    file = options[++i];
                    break;
                case "--json":
                    await Console.Error.WriteLineAsync($"--json needs a file in a folder that exists. {Usage}");
                    return 2;
                default:
                    await Console.Error.WriteLineAsync($"'{options[i]}' is not understood. {Usage}");
                    return 2;
            }
        }

        try
        {
            await RunAsync(plan, file, output);
            return 0;
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private static async Task RunAsync(LoadPlan plan, string? file, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        await using var issuer = await LoadIssuer.StartAsync();
        var run = new LoadRun(plan, issuer, Console.Error);
        var measurements = await run.MeasureAsync();
        await new LoadReport(plan, measurements, run._store, clock.Elapsed).WriteAsync(output);
        if (file is not null)
        {
            await Figures.WriteAsync(file, measurements);
        }
    }

    /// <summary>Measures in several starts of all servers: two processes of one program differ by a few percent for as long as they live.</summary>
    private async Task<IReadOnlyList<Measurement>> MeasureAsync()
    {
        var rounds = new List<Dictionary<(Row, int, Cell), Slice>>();
        for (var i = 0; i < plan.Starts; i++)
        {
            await SayAsync($"Start {i + 1} of {plan.Starts}");
            await RunRoundsAsync(rounds);
        }

        return [.. Measurements(rounds)];
    }

    /// <summary>Starts a server for each cell and number of tenants, and sends all kinds of requests to each of them in turn.</summary>
    private async Task RunRoundsAsync(List<Dictionary<(Row, int, Cell), Slice>> rounds)
    {
        var stores = new List<LoadRedis>();
        var clients = new List<LoadClient>();
        try
        {
            foreach (var tenants in plan.Tenants)
            {
                clients.AddRange(await StartAsync(tenants, stores));
            }

            _store = stores.Count > 0 ? "a redis-server on loopback" : "the embedded store, in the server's own process, because redis-server is not installed";

            // What is compared comes close together.
            clients = [.. clients.OrderBy(client => Cell.All.IndexOf(client.Cell))];
            await SayAsync("Warming up");
            for (var i = 0; i < plan.WarmUps; i++)
            {
                await RunRoundAsync(clients, reverse: i % 2 == 1, plan.WarmUpRequests);
            }

            for (var i = 0; i < plan.Rounds; i++)
            {
                await SayAsync($"Round {i + 1} of {plan.Rounds}");
                rounds.Add(await RunRoundAsync(clients, reverse: i % 2 == 1, plan.Requests));
            }
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
            stores.ForEach(store => store.Dispose());
        }
    }

    private async Task<IEnumerable<LoadClient>> StartAsync(int tenants, List<LoadRedis> stores)
    {
        var redis = await LoadRedis.StartAsync();
        if (redis is not null)
        {
            stores.Add(redis);
        }

        var clients = new List<LoadClient>();
        foreach (var (index, cell) in Cell.All.Index())
        {
            var server = await ServerProcess.StartAsync(cell, tenants, redis?.ConnectionString(database: index) ?? "", issuer.Url);
            clients.Add(await LoadClient.StartAsync(server, cell, tenants, Callers(cell, tenants)));
        }

        return clients;
    }

    // The order turns around, so that what warms up or slows down weighs on all alike.
    private async Task<Dictionary<(Row, int, Cell), Slice>> RunRoundAsync(IReadOnlyList<LoadClient> clients, bool reverse, int requests)
    {
        var order = reverse ? clients.Reverse() : clients;
        var slices = new Dictionary<(Row, int, Cell), Slice>();
        foreach (var row in plan.Rows)
        {
            foreach (var client in order.Where(client => client.Cell.Has(row)))
            {
                slices[(row, client.Tenants, client.Cell)] = await client.RunAsync(row, requests);
            }
        }

        return slices;
    }

    private IEnumerable<Measurement> Measurements(List<Dictionary<(Row, int, Cell), Slice>> rounds) =>
        from tenants in plan.Tenants
        from row in plan.Rows
        let bare = rounds.Select(round => round[(row, tenants, Cell.All[0])]).ToArray()
        from cell in Cell.All
        where cell.Has(row)
        select new Measurement(cell, tenants, row, [.. rounds.Select(round => round[(row, tenants, cell)])], bare);

    private IEnumerable<Caller> Callers(Cell cell, int tenants) => LoadTenants.Called(tenants).Select(called => new Caller(called.Number, called.Tenant, cell.Authentication switch
    {
        TenantAuthenticationKind.Bearer => LoadTenants.Token(called.Number, called.Tenant),
        TenantAuthenticationKind.Jwks => issuer.Issue(LoadTenants.Audience(called.Tenant), called.Number),
        _ => null,
    }));

    private Task SayAsync(string what) => progress.WriteLineAsync(what);
}

/// <summary>How much is measured.</summary>
/// <param name="Name">What the report says of it.</param>
/// <param name="Tenants">The numbers of tenants, the least first.</param>
/// <param name="Rows">The kinds of requests.</param>
/// <param name="Starts">How many times all servers are started.</param>
/// <param name="Rounds">The rounds of each start.</param>
/// <param name="Requests">The requests of a kind to a server in each round.</param>
internal sealed record LoadPlan(string Name, IReadOnlyList<int> Tenants, IReadOnlyList<Row> Rows, int Starts, int Rounds, int Requests)
{
    public static LoadPlan Full { get; } = new("all", [1, 1_000, 100_000], Row.All, Starts: 4, Rounds: 4, Requests: 2000);

    public static LoadPlan Quick { get; } = new("--quick: without 1,000 tenants, and with 4 of the 8 kinds of requests", [1, 100_000], Row.Few, Starts: 2, Rounds: 4, Requests: 1000);

    /// <summary>The rounds that are not counted. They are many and short, so that no kind of request is compiled for before the others come.</summary>
    public int WarmUps => 6;

    public int WarmUpRequests => 2400 / Rows.Count;
}
