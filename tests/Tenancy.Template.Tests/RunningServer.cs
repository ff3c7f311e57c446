using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Tenancy.Template.Tests;

/// <summary>A scaffold that runs as a process of its own, at a port that the system chose.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private readonly Process _process;

    private RunningServer(Process process, int port)
    {
        _process = process;
        Port = port;
        Client = new(
            new SocketsHttpHandler
            {
                UseProxy = false,

                // Any host name and port lead to this server, as DNS and a proxy would make them.
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        );
    }

    public HttpClient Client { get; }

    public int Port { get; }

    public static async Task<RunningServer> StartAsync(
        Scaffold scaffold,
        string temporary,
        params (string Name, string Value)[] environment
    )
    {
        var lines = Channel.CreateUnbounded<string>();
        var process = DotNet.Start(
            scaffold.Program,
            [scaffold.Assembly],
            [("ASPNETCORE_ENVIRONMENT", "Development"), ("ASPNETCORE_URLS", "http://127.0.0.1:0"), ("TMPDIR", temporary), .. environment],
            line => lines.Writer.TryWrite(line)
        );
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            process.EnableRaisingEvents = true;
            process.Exited += (_, _) => lines.Writer.TryComplete();
            var log = new List<string>();
            await foreach (var line in lines.Reader.ReadAllAsync(enough.Token))
            {
                log.Add(line);
                if (line.Split(Listening) is [_, var address])
                {
                    var server = new RunningServer(process, new Uri(address).Port);
                    await server.WaitUntilReadyAsync();
                    return server;
                }
            }

            throw new InvalidOperationException($"{scaffold.Name} did not start:\n{string.Join('\n', log)}");
        }
        catch
        {
            await StopAsync(process);
            throw;
        }
    }

    /// <summary>Calls a tool and gives back the handler's answer.</summary>
    public async Task<JsonNode> CallAsync(
        string tenant,
        string tool,
        object arguments,
        string? token,
        Action<HttpRequestMessage>? change = null
    )
    {
        using var response = await SendAsync(tenant, tool, arguments, token, change);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {body}");
        var result = JsonNode.Parse(body)!["result"];
        Assert.True(result is not null && (bool?)result["isError"] is not true, body);
        return result["structuredContent"]!;
    }

    public async Task<HttpResponseMessage> SendAsync(
        string tenant,
        string tool,
        object arguments,
        string? token,
        Action<HttpRequestMessage>? change = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost/{tenant}/mcp");
        request.Headers.Add("Accept", "application/json");
        if (token is not null)
        {
            request.Headers.Add("Authorization", $"Bearer {token}");
        }

        request.Content = JsonContent.Create(
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "tools/call",
                @params = new { name = tool, arguments },
            }
        );
        change?.Invoke(request);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await StopAsync(_process);
    }

    // On a busy machine the store's first answer may come after the server listens; it tells by its health only.
    private async Task WaitUntilReadyAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            using var response = await Client.GetAsync("http://localhost/health/ready", limit.Token);
            if (response.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(100, limit.Token);
        }
    }

    private static async Task StopAsync(Process process)
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
