using System.Diagnostics;
using System.Text;

namespace Tenancy.Benchmarks.Load;

/// <summary>Servers with and without tenants under the same load: what a request costs them, one against the other.</summary>
internal sealed class LoadRun(LoadPlan plan, LoadIssuer issuer, TextWriter progress)
{
    private string _store = "";

    /// <summary>Runs the benchmark that the options ask for.</summary>
    /// <returns>The exit code: 0 where everything was answered as it should be, whatever it cost.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        try
        {
            if (arguments is ["--flood"])
            {
                await FloodRun.RunAsync(output, Console.Error);
                return 0;
            }

            var options = LoadOptions.Read(arguments);
            await (
                options.Profiled is { } cell
                    ? ProfileRun.RunAsync(cell, output, Console.Error)
                    : RunAsync(options.Plan, options.File, output)
            );
            return 0;
        }
        catch (ArgumentException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 2;
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

    /// <summary>
    /// Measures in several starts of all servers: two processes of one program differ by a few percent for as long as they live.
    /// </summary>
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

            _store =
                stores.Count > 0
                    ? "a redis-server on loopback"
                    : "the embedded store, in the server's own process, because redis-server is not installed";

            await CompareAnswersAsync(clients);

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
        foreach (var (index, cell) in plan.Cells.Index())
        {
            clients.Add(await LoadClient.StartAsync(cell, tenants, redis?.ConnectionString(database: index) ?? "", issuer));
        }

        return clients;
    }

    /// <summary>Makes sure that the endpoint without MCP does write the answers of the server that it is there for.</summary>
    /// <exception cref="InvalidOperationException">It writes something else.</exception>
    private async Task CompareAnswersAsync(IReadOnlyList<LoadClient> clients)
    {
        foreach (var endpoint in clients.Where(client => client.Cell.IsEndpoint))
        {
            var served = clients.FirstOrDefault(client => client.Cell.Id is "h" or "hb" && client.Tenants == endpoint.Tenants);
            foreach (var row in plan.Rows.Where(row => served is not null && endpoint.Cell.Has(row) && row.Reply == Row.EventStream))
            {
                var (written, answer) = (await endpoint.AskAsync(row), await served!.AskAsync(row));
                if (!written.AsSpan().SequenceEqual(answer))
                {
                    throw new InvalidOperationException(
                        $"{row}: {endpoint.Cell.Id} does not write the answer of {served.Cell.Id}: "
                            + "ProductsEndpoint has to be brought up to date.\n"
                            + $"{Encoding.UTF8.GetString(written)}\n{Encoding.UTF8.GetString(answer)}"
                    );
                }
            }
        }
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
        from cell in plan.Cells
        where cell.Has(row)
        select new Measurement(
            cell,
            tenants,
            row,
            [.. rounds.Select(round => round[(row, tenants, cell)])],
            [.. rounds.Select(round => round[(row, tenants, Cell.Of(cell.Reference))])]
        );

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

    public static LoadPlan Quick { get; } =
        new(
            "--quick: without 1,000 tenants, and with 4 of the 8 kinds of requests",
            [1, 100_000],
            Row.Few,
            Starts: 2,
            Rounds: 4,
            Requests: 1000
        );

    /// <summary>The servers.</summary>
    public IReadOnlyList<Cell> Cells { get; private init; } = Cell.All;

    /// <summary>
    /// The same with some servers only, those that they are compared with and the two that show the noise, and with the requests that the
    /// named ones have.
    /// </summary>
    public LoadPlan Only(IReadOnlyList<Cell> named) =>
        this with
        {
            Name = $"{Name}; only {string.Join(", ", named.Select(cell => cell.Id))} and what they are compared with",
            Cells =
            [
                .. Cell.All.Where(cell =>
                    named.Contains(cell)
                    || named.Any(one => one.Reference == cell.Id)
                    || cell == Cell.Noise.Once
                    || cell == Cell.Noise.Again
                ),
            ],
            Rows = [.. Rows.Where(row => named.Any(cell => cell.Has(row)))],
        };

    /// <summary>
    /// The rounds that are not counted. They are many and short, so that no kind of request is compiled for before the others come.
    /// </summary>
    public int WarmUps => 6;

    public int WarmUpRequests => 2400 / Rows.Count;
}
