using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>
/// Behind reverse proxies as they come, a call that says nothing for two minutes is answered, and a stream on which nothing happens for
/// five minutes is still there.
/// </summary>
/// <remarks>
/// All times are a twelfth: the proxies' limits, the heartbeat, the call and the stream. With TENANCY_PROXIES=full they are what they are,
/// and the proxies' limits are left alone; see tests/long.
/// </remarks>
[Tier(Tier.Process)]
public sealed class ProxiesTests : IDisposable
{
    private static readonly double Scale = Environment.GetEnvironmentVariable("TENANCY_PROXIES") is "full" ? 1 : 1.0 / 12;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15 * Scale);
    private static readonly TimeSpan Call = TimeSpan.FromSeconds(115 * Scale);
    private static readonly TimeSpan Stream = TimeSpan.FromSeconds(300 * Scale);

    // A proxy or a server that never says what is waited for may say other things for ever.
    private readonly CancellationTokenSource _enough = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );

    public ProxiesTests() => _enough.CancelAfter(Stream + TimeSpan.FromSeconds(60));

    private CancellationToken Token => _enough.Token;

    public void Dispose() => _enough.Dispose();

    [Theory]
    [InlineData("nginx")]
    [InlineData("haproxy")]
    [InlineData("varnish")]
    [InlineData("yarp")]
    public async Task A_silent_call_is_answered_and_an_idle_stream_stays(string kind)
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:HeartbeatInterval"] = Heartbeat.ToString("c"),
            },
            services: services =>
                services.AddSingleton<Kept>().AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()))
        );
        await using var proxy = await ReverseProxy.StartAsync(kind, server.Port, Scale);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        var session = await InitializeAsync(client, proxy);

        // Its head comes at once.
        using var request = McpCalls.Bodyless(HttpMethod.Get, proxy.Port, Way.Path, "acme", McpCalls.Acme, session);
        var begun = Stopwatch.StartNew();
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(3), $"{begun.Elapsed}");
        await using var stream = await response.Content.ReadAsStreamAsync(Token);
        var calls = new[]
        {
            CallAsync(client, proxy, "silent", Generation.Sessions, session),
            CallAsync(client, proxy, "silent_by_sdk", Generation.Sessions, session),
            CallAsync(client, proxy, "silent", Generation.Stateless, session: null),
            CallAsync(client, proxy, "silent_by_sdk", Generation.Stateless, session: null),
        };
        using var reader = new StreamReader(stream);
        while (begun.Elapsed < Stream)
        {
            Assert.True(await reader.ReadLineAsync(Token) is "" or ": ");
        }

        Assert.All(await Task.WhenAll(calls), answer => Assert.Contains("\"text\":\"done\"", answer, StringComparison.Ordinal));

        // And it still is the way to the client.
        await server.Services.GetRequiredService<Kept>().Server!.SendNotificationAsync("notifications/heard", cancellationToken: Token);
        var line = "";
        while (!line.Contains("notifications/heard", StringComparison.Ordinal))
        {
            line = await reader.ReadLineAsync(Token) ?? throw new InvalidOperationException("The stream has ended.");
        }

        // Some proxies notice only when something is written that their client has gone.
        response.Dispose();
        client.Dispose();
        await Poll.UntilAsync(
            () => Task.FromResult(!server.Services.GetRequiredService<OpenStreams>().Of(TenantId.Parse("acme")).Any()),
            seconds: 20 + (int)(Heartbeat.TotalSeconds * 4)
        );
    }

    private async Task<string> InitializeAsync(HttpClient client, ReverseProxy proxy)
    {
        using var request = McpCalls.Post(proxy.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
        using var response = await client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Headers.GetValues("Mcp-Session-Id").Single();
    }

    private async Task<string> CallAsync(HttpClient client, ReverseProxy proxy, string tool, Generation generation, string? session)
    {
        using var request = McpCalls.Post(
            proxy.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call(tool, null, generation),
            generation,
            session
        );
        using var response = await client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private sealed class Kept
    {
        public McpServer? Server { get; set; }
    }

    private sealed class Handlers(Kept kept)
    {
        [McpServerTool(Name = "silent")]
        public async Task<string> WaitAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Call, cancellationToken);
            return "done";
        }

        [McpServerTool(Name = "silent_by_sdk")]
        public Task<string> WaitAsync(McpServer server, CancellationToken cancellationToken)
        {
            // Both kinds of calls come here at once.
            if (server.SessionId is not null)
            {
                kept.Server = server;
            }

            return WaitAsync(cancellationToken);
        }
    }
}
