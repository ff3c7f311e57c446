using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.AspNetCore;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>A session whose calls are answered directly is one that the MCP SDK keeps all the same.</summary>
[Tier(Tier.Process)]
public sealed class DirectSessionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_that_only_calls_directly_stays_with_the_sdk_and_one_that_is_idle_does_not()
    {
        var (clock, log) = (new FakeTimeProvider(DateTimeOffset.UtcNow), new LogRecorder(LogLevel.Information));
        await using var server = await StartAsync(log, redis: null, services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            services.PostConfigure<HttpServerTransportOptions>(options =>
                (options.TimeProvider, options.IdleTimeout) = (clock, TimeSpan.FromMinutes(3))
            );
        });
        var (used, idle) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", McpCalls.Acme));
        var calls = 0;
        for (var second = 0; second < 600; second += 15)
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            Assert.Equal(HttpStatusCode.OK, await CallAsync(server, used));
            calls++;
        }

        // The SDK looks for idle sessions every five seconds of the same clock.
        await Poll.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(5));
            return Task.FromResult(IsDropped(log, idle));
        });
        Assert.False(IsDropped(log, used));

        // About one call a minute was the SDK's, and all others were not.
        Assert.InRange(CallsOfTheSdk(log), 7, 10);
        Assert.Equal(40, calls);
    }

    [Fact]
    public async Task A_session_that_began_elsewhere_is_called_directly_from_its_second_call_on()
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var redis = await RedisServer.StartAsync();
        await using var first = await TenancyServer.StartAsync(redis: redis);
        await using var second = await StartAsync(log, redis);
        var session = await first.InitializeAsync("acme", McpCalls.Acme);
        Assert.Equal(HttpStatusCode.NotFound, await CallAsync(second, session, "globex", McpCalls.Globex));
        Assert.Equal(0, CallsOfTheSdk(log));

        for (var call = 0; call < 5; call++)
        {
            Assert.Equal(HttpStatusCode.OK, await CallAsync(second, session));
            Assert.Equal(1, CallsOfTheSdk(log));
        }

        // Both nodes serve it, and both see its end: the one that ended it at once, the other within a second.
        Assert.Equal(HttpStatusCode.OK, await CallAsync(first, session));
        using var delete = McpCalls.Bodyless(HttpMethod.Delete, first.Port, Way.Path, "acme", McpCalls.Acme, session);
        using var ended = await first.Client.SendAsync(delete, Token);
        Assert.True(ended.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await CallAsync(first, session));
        await Poll.UntilAsync(async () => await CallAsync(second, session) == HttpStatusCode.NotFound, seconds: 3);
    }

    [Theory]
    [InlineData("application/json, text/event-stream", HttpStatusCode.OK)]
    [InlineData("application/json", HttpStatusCode.Accepted)]
    public async Task A_call_that_its_client_cancels_ends_with_its_handler_and_its_post(string accept, HttpStatusCode status)
    {
        using var gate = new SlowTools.Gate();
        var log = new LogRecorder(LogLevel.Information);
        await using var server = await StartAsync(log, redis: null, services =>
            services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()))
        );
        var (session, other) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", McpCalls.Acme));
        var calls = new[] { "7", "8", "\"a\"" }.Select(id => SlowAsync(session, id)).ToArray();
        await gate.WaitForAsync(3);

        // Another id, another session's, and the same id in another form.
        await CancelAsync(server, session, "9", HttpStatusCode.BadRequest);
        await CancelAsync(server, other, "7", HttpStatusCode.BadRequest);
        await CancelAsync(server, session, "\"7\"", HttpStatusCode.BadRequest);
        Assert.DoesNotContain(calls, call => call.IsCompleted);

        await CancelAsync(server, session, "7");
        await CancelAsync(server, session, "\"\\u0061\"");
        foreach (var cancelled in new[] { calls[0], calls[2] })
        {
            using var response = await cancelled.WaitAsync(TimeSpan.FromSeconds(20), Token);
            Assert.Equal(status, response.StatusCode);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync(Token));
        }

        Assert.False(calls[1].IsCompleted);
        gate.Open();
        using var answered = await calls[1];
        Assert.Equal("acme", (await McpCalls.ReadAsync(answered))["result"]!["content"]![0]!["text"]!.ToString());
        Assert.Equal(0, CallsOfTheSdk(log));

        async Task<HttpResponseMessage> SlowAsync(string of, string id)
        {
            var body = McpCalls.Call("slow").Replace("\"id\":1", $"\"id\":{id}", StringComparison.Ordinal);
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, sessionId: of, accept: accept);
            return await server.Client.SendAsync(request, Token);
        }
    }

    private static async Task CancelAsync(TenancyServer server, string session, string id, HttpStatusCode status = HttpStatusCode.Accepted)
    {
        var body = $$$"""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{{{id}}}}}""";
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, sessionId: session);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(status, response.StatusCode);
    }

    private static Task<TenancyServer> StartAsync(LogRecorder log, RedisServer? redis, Action<IServiceCollection>? more = null) =>
        TenancyServer.StartAsync(redis: redis, services: services =>
        {
            services
                .AddSingleton<ILoggerProvider>(log)
                .AddLogging(logging => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information));
            more?.Invoke(services);
        });

    private static async Task<HttpStatusCode> CallAsync(
        TenancyServer server,
        string session,
        string tenant = "acme",
        string token = McpCalls.Acme
    )
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"), Generation.Sessions, session);
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private static bool IsDropped(LogRecorder log, string session) =>
        log.Entries.Any(entry =>
            entry.Text.Contains(session, StringComparison.Ordinal) && entry.Text.Contains("idle", StringComparison.OrdinalIgnoreCase)
        );

    private static int CallsOfTheSdk(LogRecorder log) =>
        log.Entries.Count(entry => entry.Text.Contains("'tools/call' request handler called", StringComparison.Ordinal));
}
