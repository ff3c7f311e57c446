using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>
/// Three nodes behind a proxy, restarted one after the other under load of both generations of the protocol: no call fails, no handler is
/// killed, and none runs twice.
/// </summary>
/// <remarks>With TENANCY_PROXIES=full; see tests/long.</remarks>
[Tier(Tier.Process)]
public sealed class RollingRestartTests
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("TENANCY_PROXIES") is "full";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("nginx")]
    [InlineData("haproxy")]
    [InlineData("caddy")]
    [InlineData("apache")]
    [InlineData("varnish")]
    [InlineData("yarp")]
    public async Task Nothing_is_lost_or_done_twice(string kind)
    {
        Assert.SkipUnless(IsFull, "It takes minutes: tests/long has it.");
        var runs = Path.GetTempFileName();
        await using var fleet = await ProcessFleet.StartAsync(
            3,
            settings: new Dictionary<string, string> { [NodeTools.RunsVariable] = runs, ["Tenancy__DrainTime"] = "00:00:05" }
        );
        await using var proxy = await DeployedProxy.StartAsync(kind, [.. fleet.Nodes.Select(node => node.Port)]);
        var token = await fleet.RegisterAsync(0, "acme");
        await fleet.AdminAsync(0, HttpMethod.Patch, "/tenants/acme", """{"limits":{"rateLimit":1000000}}""");
        for (var node = 0; node < fleet.Nodes.Count; node++)
        {
            await fleet.UntilAsync(node, "acme", token, HttpStatusCode.OK);
        }

        var load = new Load(proxy.Port, token);
        await load.OpenAccountAsync();
        using var enough = new CancellationTokenSource();
        var working = Enumerable.Range(0, 8).Select(worker => load.WorkAsync(worker, enough.Token)).ToArray();
        for (var round = 0; round < 3; round++)
        {
            foreach (var node in fleet.Nodes)
            {
                await node.StopAsync();
                await node.RestartAsync();

                // It is another one's turn when the proxy has seen that this one is back.
                await Task.Delay(TimeSpan.FromSeconds(3), Token);
            }
        }

        await enough.CancelAsync();
        await Task.WhenAll(working);
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {load.Calls} calls");
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        Assert.True(load.Calls > 200, $"{load.Calls} calls");
        var noted = await File.ReadAllLinesAsync(runs, Token);
        Assert.Equal(load.Keys.Order(StringComparer.Ordinal), Of("begun"));
        Assert.Equal(Of("begun"), Of("ended"));
        File.Delete(runs);

        string[] Of(string word) =>
            [
                .. noted
                    .Where(line => line.StartsWith(word + " ", StringComparison.Ordinal))
                    .Select(line => line[6..])
                    .Order(StringComparer.Ordinal),
            ];
    }

    /// <summary>Clients that reach the fleet by its proxy. Each of their calls must be answered.</summary>
    private sealed class Load(int port, string token)
    {
        private int _calls;

        public int Calls => _calls;

        public ConcurrentQueue<string> Failures { get; } = new();

        public ConcurrentQueue<string> Keys { get; } = new();

        public async Task OpenAccountAsync()
        {
            using var client = NodeProcess.NewClient(() => port);
            await CallAsync(
                client,
                "sync_accounts",
                new()
                {
                    ["idempotency_key"] = Guid.NewGuid().ToString("N"),
                    ["accounts"] = new JsonArray(
                        new JsonObject
                        {
                            ["brand"] = new JsonObject { ["domain"] = "brand.example" },
                            ["operator"] = "agency.example",
                            ["billing"] = "operator",
                        }
                    ),
                }
            );
            Assert.True(Failures.IsEmpty, string.Join('\n', Failures));
        }

        public async Task WorkAsync(int worker, CancellationToken enough)
        {
            // A connection each, as clients have.
            using var client = NodeProcess.NewClient(() => port);
            var session = worker % 2 == 0 ? await BeginAsync(client) : null;
            var generation = session is null && worker % 4 == 1 ? Generation.Stateless : Generation.Sessions;
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                await (
                    (i % 5) switch
                    {
                        0 => BuyAsync(client, session, generation),
                        1 => CallAsync(client, "wait", new() { ["milliseconds"] = 400 }, session, generation),
                        2 when session is not null => BeginAsync(client),
                        _ => CallAsync(client, "whoami", null, session, generation),
                    }
                );
            }
        }

        private Task BuyAsync(HttpClient client, string? session, Generation generation)
        {
            var buy = McpCalls.CreateBuy();
            buy["po_number"] = "800";
            buy["account"] = new JsonObject
            {
                ["brand"] = new JsonObject { ["domain"] = "brand.example" },
                ["operator"] = "agency.example",
            };
            Keys.Enqueue(buy["idempotency_key"]!.ToString());
            return CallAsync(client, "slow_buy", buy, session, generation);
        }

        private async Task<string?> BeginAsync(HttpClient client)
        {
            using var request = NodeProcess.Post("acme", token, McpCalls.Initialize());
            using var response = await SendAsync(client, request, "initialize");
            return response?.Headers.GetValues("Mcp-Session-Id").Single();
        }

        private async Task CallAsync(
            HttpClient client,
            string tool,
            JsonObject? arguments,
            string? session = null,
            Generation generation = Generation.Sessions
        )
        {
            using var request = McpCalls.Post(80, Way.Path, "acme", token, McpCalls.Call(tool, arguments, generation), generation, session);
            request.RequestUri = new Uri($"http://{NodeProcess.Host}/acme/mcp");
            using var response = await SendAsync(client, request, tool);
        }

        private async Task<HttpResponseMessage?> SendAsync(HttpClient client, HttpRequestMessage request, string what)
        {
            Interlocked.Increment(ref _calls);
            try
            {
                var response = await client.SendAsync(request, CancellationToken.None);
                var body = await response.Content.ReadAsStringAsync();
                if (response.StatusCode != HttpStatusCode.OK || body.Contains("\"isError\":true", StringComparison.Ordinal))
                {
                    Failures.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {what}: {(int)response.StatusCode} {body}");
                }

                return response;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TaskCanceledException)
            {
                Failures.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {what}: {exception.Message}");
                return null;
            }
        }
    }
}
