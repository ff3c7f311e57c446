using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tenancy.Benchmarks.Fleet;

/// <summary>A node: the published scaffold, as it would be in production.</summary>
internal sealed class FleetNode : IDisposable
{
    public const string Host = "fleet.example";
    public const string AdminKey = "c3VyZWx5LTMyLWJ5dGVzLW9mLXJhbmRvbS1iZW5jaG1hcms=";
    private readonly Process _process;

    private FleetNode(Process process, int port)
    {
        _process = process;
        Client = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri($"http://{Host}"),
        };
    }

    public HttpClient Client { get; }

    /// <summary>How long it took from the start of the process until it was ready.</summary>
    public TimeSpan Started { get; private set; }

    /// <summary>Its memory, in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static async Task<FleetNode> StartAsync(string program, string redis)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet", ["exec", Path.GetFullPath(program)])
        {
            RedirectStandardOutput = true,
            // Its settings are there.
            WorkingDirectory = Path.GetDirectoryName(Path.GetFullPath(program)),
        };
        foreach (
            var (name, value) in (ReadOnlySpan<(string, string)>)
                [
                    ("DOTNET_ENVIRONMENT", "Production"),
                    ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}"),
                    ("ConnectionStrings__Redis", redis),
                    ("Tenancy__PublicUrl", $"http://{Host}"),
                    ("Tenancy__BaseDomain", Host),
                    ("Tenancy__Admin__Keys__0", AdminKey),
                    ("Tenancy__Admin__RequestsPerMinute", "1000000"),
                    ("Tenancy__DrainTime", "00:00:00"),
                    ("Logging__LogLevel__Default", "Warning"),
                ]
        )
        {
            start.Environment[name] = value;
        }

        var clock = Stopwatch.StartNew();
        var node = new FleetNode(Process.Start(start)!, port);
        node._process.BeginOutputReadLine();
        while (!await node.IsReadyAsync())
        {
            if (node._process.HasExited || clock.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new InvalidOperationException("A node did not become ready.");
            }

            await Task.Delay(10);
        }

        node.Started = clock.Elapsed;
        return node;
    }

    public async Task<string> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, "/admin/" + path) { Headers = { { "X-Admin-API-Key", AdminKey } } };
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        var said = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? said
            : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {said}");
    }

    /// <summary>Whether a tenant is served.</summary>
    public async Task<HttpStatusCode> AskAsync(string tenant)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/{tenant}/health");
        using var response = await Client.SendAsync(request);
        return response.StatusCode;
    }

    public async Task CallAsync(string tenant)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/{tenant}/mcp");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Content = new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"brief":"news"}}}""",
            Encoding.UTF8,
            "application/json"
        );
        using var response = await Client.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    public void Dispose()
    {
        Client.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
