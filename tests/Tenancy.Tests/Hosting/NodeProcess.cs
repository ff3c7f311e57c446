using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// A node of a fleet: the published scaffold in a process of its own, in Production, with the tools of <see cref="NodeTools"/>.
/// </summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    public const string Host = "fleet.example";
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ProcessStartInfo _start;
    private Process? _process;

    private NodeProcess(ProcessStartInfo start, int port)
    {
        (_start, Port) = (start, port);
        Client = NewClient();
    }

    /// <summary>The admin key of all nodes of this run.</summary>
    public static string AdminKey { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public int Port { get; }

    public HttpClient Client { get; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>What it has written to its log.</summary>
    public IReadOnlyCollection<string> Log => _log;

    private string LastWords => string.Join('\n', _log.TakeLast(20));

    /// <param name="store">The connection string of its store.</param>
    /// <param name="settings">Its settings, beside those that every node has.</param>
    /// <param name="program">The server; null for the scaffold of this repository.</param>
    public static async Task<NodeProcess> StartAsync(
        string store,
        IReadOnlyDictionary<string, string>? settings = null,
        string? program = null
    )
    {
        var port = RedisServer.FreePort();
        var start = new ProcessStartInfo("dotnet", ["exec", program ?? await PublishedScaffold.GetAsync()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["DOTNET_STARTUP_HOOKS"] = typeof(NodeProcess).Assembly.Location,
            ["DOTNET_gcServer"] = "0",
            ["Logging__Console__FormatterName"] = "simple",
            ["Logging__Console__FormatterOptions__SingleLine"] = "true",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Tenancy"] = "Information",
            ["ConnectionStrings__Redis"] = store,
            ["Tenancy__PublicUrl"] = $"http://{Host}",
            ["Tenancy__BaseDomain"] = Host,
            ["Tenancy__Admin__Keys__0"] = AdminKey,
            ["Tenancy__Admin__RequestsPerMinute"] = "1000000",
            ["Tenancy__DrainTime"] = "00:00:00",
            ["Tenancy__Validation__AllowedNetworks__0"] = "127.0.0.0/8",
            ["Tenancy__Validation__AllowHttp"] = "true",
        };
        foreach (var (name, value) in environment.Concat(settings ?? new Dictionary<string, string>()))
        {
            start.Environment[name] = value;
        }

        var node = new NodeProcess(start, port);
        try
        {
            node.Launch();
            await node.UntilReadyAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the process, again where it has ended.</summary>
    public void Launch()
    {
        _process = Process.Start(_start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public async Task UntilReadyAsync(int seconds = 180)
    {
        var clock = Stopwatch.StartNew();
        while (await ReadyAsync() != HttpStatusCode.OK)
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(seconds) || !IsRunning)
            {
                throw new InvalidOperationException(
                    $"The node did not become ready ({clock.Elapsed}, running: {IsRunning}). Its last words:\n{LastWords}"
                );
            }

            await Task.Delay(50);
        }
    }

    public async Task<HttpStatusCode?> ReadyAsync()
    {
        try
        {
            using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            using var response = await Client.GetAsync(new Uri("/health/ready", UriKind.Relative), enough.Token);
            return response.StatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Kills it, as a crash would.</summary>
    public void Kill()
    {
        if (IsRunning)
        {
            _process!.Kill();
        }
    }

    /// <summary>Waits until the process has ended.</summary>
    /// <exception cref="InvalidOperationException">It went on for a minute, and was killed then.</exception>
    public async Task UntilGoneAsync()
    {
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await _process!.WaitForExitAsync(enough.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw new InvalidOperationException($"The node did not end within a minute. Its last words:\n{LastWords}");
        }
    }

    public async Task RestartAsync()
    {
        await UntilGoneAsync();
        Launch();
        await UntilReadyAsync();
    }

    /// <summary>Tells it to stop, as an orchestrator would, and waits until it has.</summary>
    public async Task StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        await UntilGoneAsync();
    }

    /// <summary>A client that reaches this node by any host name, as DNS would make it.</summary>
    public HttpClient NewClient() => NewClient(() => Port);

    public static HttpClient NewClient(Func<int> port) =>
        new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(IPAddress.Loopback, port(), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri($"http://{Host}"),
        };

    public async Task<(HttpStatusCode Status, JsonNode? Body)> AdminAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, "/admin" + path) { Headers = { { "X-Admin-API-Key", AdminKey } } };
        request.Content =
            body is string text ? new StringContent(text, Encoding.UTF8, "application/json")
            : body is null ? null
            : JsonContent.Create(body);
        using var response = await Client.SendAsync(request);
        var said = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, said.Length == 0 ? null : JsonNode.Parse(said));
    }

    /// <summary>Calls a tool; of a session or without one.</summary>
    public async Task<(HttpStatusCode Status, string Body)> CallAsync(
        string tenant,
        string token,
        string tool,
        JsonObject? arguments = null
    )
    {
        using var request = Post(tenant, token, McpCalls.Call(tool, arguments));
        using var response = await Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public static HttpRequestMessage Post(string tenant, string? token, string body, string? session = null)
    {
        var request = McpCalls.Post(80, Way.Path, tenant, token, body, sessionId: session);
        request.RequestUri = new Uri($"http://{Host}/{tenant}/mcp");
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is not null)
        {
            Kill();
            await UntilGoneAsync();
            _process.Dispose();
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
            while (_log.Count > 2000 && _log.TryDequeue(out _)) { }
        }
    }
}
