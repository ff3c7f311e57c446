#:property PublishAot=false
// dotnet run --file quickstart.cs
// Makes a server from the template in a temporary folder, calls it as each of its two tenants, and removes everything.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var cancellation = new CancellationTokenSource(TimeSpan.FromMinutes(15));
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    cancellation.Cancel();
};

var folder = Directory.CreateTempSubdirectory("tenancy-quickstart-").FullName;
try
{
    await using var server = await StartAsync(await BuildAsync(folder, cancellation.Token), folder, cancellation.Token);
    var buys = new Dictionary<string, string>();
    foreach (var (tenant, brief) in new[] { ("acme", "Readers of news"), ("globex", "Shoppers") })
    {
        buys[tenant] = await BuyAsync(server, tenant, brief, cancellation.Token);
    }

    await ShowIsolationAsync(server, buys["acme"], cancellation.Token);
    Console.WriteLine("\nDone. Make your own: dotnet new install . && dotnet new adcp-tenant-server -n MySeller");
    return 0;
}
catch (Exception exception) when (exception is QuickstartException or HttpRequestException or OperationCanceledException)
{
    var reason = exception is OperationCanceledException ? "it was interrupted, or took longer than 15 minutes" : exception.Message;
    Console.Error.WriteLine($"\nThe quickstart failed: {reason}");
    return 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static async Task<string> BuildAsync(string folder, CancellationToken cancellationToken)
{
    var clone = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
    var hive = Path.Combine(folder, "hive");
    await StepAsync("Install the template", clone, ["new", "install", clone, "--debug:custom-hive", hive], cancellationToken);
    await StepAsync(
        "Make MySeller",
        folder,
        ["new", "adcp-tenant-server", "-n", "MySeller", "--no-restore", "--no-update-check", "--debug:custom-hive", hive],
        cancellationToken
    );

    // Nothing of the build stays behind as a process.
    var project = Path.Combine(folder, "MySeller", "src", "MySeller");
    await StepAsync(
        "Build it",
        project,
        ["build", "--nologo", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false"],
        cancellationToken
    );
    return project;
}

static async Task StepAsync(string title, string directory, string[] arguments, CancellationToken cancellationToken)
{
    Console.Write($"{title, -21} ");
    var watch = Stopwatch.StartNew();
    using var process = RunDotNet(directory, arguments);
    try
    {
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(cancellationToken),
            process.StandardError.ReadToEndAsync(cancellationToken)
        );
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new QuickstartException($"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{string.Concat(output)}");
        }
    }
    finally
    {
        process.Kill(entireProcessTree: true);
    }

    Console.WriteLine($"{watch.Elapsed.TotalSeconds:F1} s");
}

static async Task<Server> StartAsync(string project, string folder, CancellationToken cancellationToken)
{
    Console.Write($"{"Start it", -21} ");
    var process = RunDotNet(project, [Path.Combine("bin", "Debug", "net10.0", "MySeller.dll")], environment =>
    {
        environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";

        // The embedded store's socket goes when the folder goes.
        environment["TMPDIR"] = folder;
    });
    try
    {
        var server = new Server(process, await ReadAddressAsync(process, cancellationToken));
        await server.WaitUntilReadyAsync(cancellationToken);
        Console.WriteLine(server.Address);
        return server;
    }
    catch
    {
        process.Kill(entireProcessTree: true);
        process.Dispose();
        throw;
    }
}

static async Task<Uri> ReadAddressAsync(Process process, CancellationToken cancellationToken)
{
    var lines = Channel.CreateUnbounded<string>();
    process.OutputDataReceived += (_, line) => Forward(line.Data, isOutput: true);
    process.ErrorDataReceived += (_, line) => Forward(line.Data, isOutput: false);
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    var log = new StringBuilder();
    await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
    {
        log.AppendLine(line);
        if (line.Split("Now listening on: ") is [_, var address])
        {
            return new(address);
        }
    }

    throw new QuickstartException($"the server did not start:\n{log}");

    void Forward(string? line, bool isOutput)
    {
        if (line is not null)
        {
            lines.Writer.TryWrite(line);
        }
        else if (isOutput)
        {
            lines.Writer.TryComplete();
        }
    }
}

// What a buyer's agent does first: look, buy, look again.
static async Task<string> BuyAsync(Server server, string tenant, string brief, CancellationToken cancellationToken)
{
    Console.WriteLine($"\n{tenant}, at {server.Endpoint(tenant)}");
    var products = (await server.CallAsync(tenant, "get_products", new() { ["brief"] = brief }, cancellationToken))["products"]!.AsArray();
    foreach (var product in products)
    {
        var price = product!["pricing_options"]![0]!;
        Console.WriteLine(
            $"  get_products      {product["product_id"]}: {product["name"]}, {price["fixed_price"]} {price["currency"]} "
                + $"{price["pricing_model"]}"
        );
    }

    var account = (await server.CallAsync(tenant, "sync_accounts", Account(), cancellationToken))["accounts"]![0]!;
    Console.WriteLine($"  sync_accounts     {account["account_id"]}: {account["status"]}");

    var made = await server.CallAsync(tenant, "create_media_buy", Order(products[0]!), cancellationToken);
    var id = (string)made["media_buy_id"]!;
    Console.WriteLine($"  create_media_buy  {id}: {made["status"]}");

    foreach (
        var buy in (await server.CallAsync(tenant, "get_media_buys", new() { ["media_buy_ids"] = new JsonArray(id) }, cancellationToken))[
            "media_buys"
        ]!.AsArray()
    )
    {
        Console.WriteLine(
            $"  get_media_buys    {buy!["media_buy_id"]}: {buy["total_budget"]} {buy["currency"]} for {buy["packages"]![0]!["product_id"]}"
        );
    }

    return id;
}

static JsonObject Account() =>
    new()
    {
        ["idempotency_key"] = Guid.NewGuid().ToString(),
        ["accounts"] = new JsonArray(
            new JsonObject
            {
                ["brand"] = new JsonObject { ["domain"] = "brand.example" },
                ["operator"] = "agency.example",
                ["billing"] = "operator",
            }
        ),
    };

static JsonObject Order(JsonNode product) =>
    new()
    {
        ["idempotency_key"] = Guid.NewGuid().ToString(),
        ["account"] = new JsonObject
        {
            ["brand"] = new JsonObject { ["domain"] = "brand.example" },
            ["operator"] = "agency.example",
        },
        ["brand"] = new JsonObject { ["domain"] = "brand.example" },
        ["start_time"] = "asap",
        ["end_time"] = "2099-12-31T00:00:00Z",
        ["packages"] = new JsonArray(
            new JsonObject
            {
                ["product_id"] = (string)product["product_id"]!,
                ["pricing_option_id"] = (string)product["pricing_options"]![0]!["pricing_option_id"]!,
                ["budget"] = 5000,
            }
        ),
    };

static async Task ShowIsolationAsync(Server server, string buyOfAcme, CancellationToken cancellationToken)
{
    Console.WriteLine("\nApart");
    using var foreign = await server.SendAsync("globex", "acme.dev-buyer", "get_media_buys", [], cancellationToken);
    Console.WriteLine($"  acme's token at globex: {(int)foreign.StatusCode} {foreign.StatusCode}");
    if (foreign.StatusCode != HttpStatusCode.Unauthorized)
    {
        throw new QuickstartException("acme's token was not refused at globex.");
    }

    var found = (
        await server.CallAsync("globex", "get_media_buys", new() { ["media_buy_ids"] = new JsonArray(buyOfAcme) }, cancellationToken)
    )["media_buys"]!.AsArray();
    Console.WriteLine($"  acme's media buy at globex: {found.Count} found");
    if (found.Count != 0)
    {
        throw new QuickstartException("acme's media buy was found at globex.");
    }
}

static Process RunDotNet(string directory, string[] arguments, Action<IDictionary<string, string?>>? change = null)
{
    var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
    {
        WorkingDirectory = directory,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    // `dotnet run` sets variables for itself; settings of other servers are not meant for this one.
    string[] foreign =
    [
        "MSBUILD",
        "ASPNETCORE_",
        "DOTNET_ENVIRONMENT",
        "ConnectionStrings__",
        "Tenancy__",
        "TENANT_",
        "MULTI_TENANT_",
        "PORT",
    ];
    foreach (
        var name in start
            .Environment.Keys.Where(name => foreign.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            .ToArray()
    )
    {
        start.Environment.Remove(name);
    }

    change?.Invoke(start.Environment);
    var process = Process.Start(start) ?? throw new QuickstartException("dotnet could not be started.");
    process.StandardInput.Close();
    return process;
}

/// <summary>The running server, and calls to it.</summary>
internal sealed class Server(Process process, Uri address) : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });

    public Uri Address => address;

    public Uri Endpoint(string tenant) => new(address, $"/{tenant}/mcp");

    /// <summary>Waits for the tenants: on a busy machine the store's first answer may come after the server listens.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            using var response = await _client.GetAsync(new Uri(address, "/health/ready"), cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(100, cancellationToken);
        }

        throw new QuickstartException("the server did not load its tenants within a minute.");
    }

    /// <summary>Calls a tool with the tenant's own token, and gives back what the handler answered.</summary>
    public async Task<JsonNode> CallAsync(string tenant, string tool, JsonObject arguments, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(tenant, $"{tenant}.dev-buyer", tool, arguments, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode && JsonNode.Parse(body)?["result"] is { } result && (bool?)result["isError"] is not true
            ? result["structuredContent"]!
            : throw new QuickstartException($"{tool} at {tenant} answered {(int)response.StatusCode}: {body}");
    }

    public async Task<HttpResponseMessage> SendAsync(
        string tenant,
        string token,
        string tool,
        JsonObject arguments,
        CancellationToken cancellationToken
    )
    {
        var call = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["method"] = "tools/call",
            ["params"] = new JsonObject { ["name"] = tool, ["arguments"] = arguments },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint(tenant))
        {
            Content = new StringContent(call.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await _client.SendAsync(request, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}

/// <summary>A step that did not do what it is for.</summary>
internal sealed class QuickstartException(string message) : Exception(message);
