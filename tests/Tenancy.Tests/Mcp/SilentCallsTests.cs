using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Server;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>
/// A call that takes long begins to be answered, where its client takes event streams: nobody in between takes the connection for dead.
/// </summary>
[Tier(Tier.Server)]
public sealed class SilentCallsTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("slow", null, false)]
    [InlineData("slow", null, true)]
    [InlineData("slow", Generation.Stateless, false)]
    [InlineData("slow_on_its_thread", null, false)]
    [InlineData("slow_on_its_thread", null, true)]
    [InlineData("slow_by_sdk", null, false)]
    [InlineData("slow_by_sdk", null, true)]
    [InlineData("slow_by_sdk", Generation.Stateless, false)]
    public async Task It_says_at_every_interval_that_somebody_is_at_work_and_then_it_is_answered(
        string tool,
        Generation? generation,
        bool hasSession
    )
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        await using var stream = await CallAsync(server, gate, tool, generation, session);
        Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal(hasSession, stream.Response.Headers.Contains("Mcp-Session-Id"));
        Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
        for (var i = 0; i < 2; i++)
        {
            _time.Advance(Interval);
            Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
        }

        gate.Open();
        var answer = await stream.ReadToEndAsync();
        Assert.StartsWith("event: message\ndata: {\"result\":", answer, StringComparison.Ordinal);
        Assert.EndsWith("\n\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("slow")]
    [InlineData("slow_by_sdk")]
    public async Task A_client_that_reads_json_only_is_answered_in_one_piece(string tool)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool), accept: "application/json");
        var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await gate.WaitForAsync(1);
        _time.Advance(Interval * 3);
        gate.Open();
        using var response = await sending;
        Assert.NotNull(response.Content.Headers.ContentLength);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.NotNull((await McpCalls.ReadAsync(response))["result"]);
    }

    [Theory]
    [InlineData("slow", false)]
    [InlineData("slow", true)]
    [InlineData("slow_by_sdk", false)]
    [InlineData("slow_by_sdk", true)]
    public async Task What_fails_before_is_said_by_status_and_what_fails_after_within_the_stream(string tool, bool isLate)
    {
        using var gate = new SlowTools.Gate { Failure = new StoreUnavailableException(new TimeoutException()) };
        await using var server = await StartAsync(gate);
        if (isLate)
        {
            await using var stream = await CallAsync(server, gate, tool, null, null);
            gate.Open();
            var answer = await stream.ReadToEndAsync();
            Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
            Assert.Contains(tool == "slow" ? "\"code\":-32027" : "An error occurred", answer, StringComparison.Ordinal);
            return;
        }

        gate.Open();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Theory]
    [InlineData("slow")]
    [InlineData("slow_by_sdk")]
    public async Task One_that_its_client_cancels_ends_there(string tool)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await CallAsync(server, gate, tool, null, session);
        const string Cancel = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""";
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, Cancel, sessionId: session);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(OpenStream.Comment, await stream.ReadToEndAsync());
    }

    [Theory]
    [InlineData("slow")]
    [InlineData("slow_by_sdk")]
    public async Task One_that_is_cancelled_ends_although_its_handler_goes_on_and_keeps_its_place(string tool)
    {
        using var gate = new SlowTools.Gate { IgnoresTime = true };
        await using var server = await StartAsync(gate);
        using var limits = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":1}}""");
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await CallAsync(server, gate, tool, null, session);
        const string Cancel = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""";
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, Cancel, sessionId: session);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var ended = stream.ReadToEndAsync();
        await Poll.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(ended.IsCompleted);
        });
        Assert.DoesNotContain("done", await ended, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync());
        gate.Open();
        await Poll.UntilAsync(async () => await StatusAsync() == HttpStatusCode.OK);

        async Task<HttpStatusCode> StatusAsync()
        {
            using var next = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
            using var answer = await server.Client.SendAsync(next, Token);
            return answer.StatusCode;
        }
    }

    private async Task<OpenStream> CallAsync(
        TenancyServer server,
        SlowTools.Gate gate,
        string tool,
        Generation? generation,
        string? session
    )
    {
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call(tool, null, generation),
            generation,
            session
        );
        var opening = OpenStream.SendAsync(server, request);
        await gate.WaitForAsync(1);
        _time.Advance(Interval - TimeSpan.FromSeconds(1));
        Assert.False(opening.IsCompleted);

        // The handler may be faster than what watches over its call.
        await Poll.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(opening.IsCompleted);
        });
        return await opening;
    }

    private Task<TenancyServer> StartAsync(SlowTools.Gate gate) =>
        TenancyServer.StartAsync(services: services =>
            services
                .AddSingleton<TimeProvider>(_time)
                .AddSingleton(gate)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()))
        );

    private sealed class Handlers(SlowTools.Gate gate)
    {
        [McpServerTool(Name = "slow")]
        public Task<string> SlowAsync(CancellationToken cancellationToken) => WaitAsync(cancellationToken);

        [McpServerTool(Name = "slow_on_its_thread")]
        public string Slow() => WaitAsync(CancellationToken.None).GetAwaiter().GetResult();

        // What asks for the SDK's server goes the SDK's way.
        [McpServerTool(Name = "slow_by_sdk")]
        public Task<string> SlowAsync(McpServer server, CancellationToken cancellationToken) => WaitAsync(cancellationToken);

        private async Task<string> WaitAsync(CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return gate.Failure is { } failure ? throw failure : "done";
        }
    }
}
