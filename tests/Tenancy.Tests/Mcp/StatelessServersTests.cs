using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A long-lived server begins with the first call, ends with the application, and is replaced where it stops before.</summary>
public sealed class StatelessServersTests
{
    public static TheoryData<Generation> Both { get; } = [Generation.Sessions, Generation.Stateless];

    [Theory, MemberData(nameof(Both))]
    public async Task One_that_stopped_is_replaced_and_its_calls_are_served_meanwhile(Generation generation)
    {
        var clock = new MovableClock();
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate, clock);
        var slow = server.CallAsync("acme", McpCalls.Acme, "slow", generation: generation);
        await gate.WaitForAsync(1);
        var before = Find(server, generation);
        Assert.NotNull(before);

        // The handler that is still running keeps the stopped server from ending, but not from being noticed.
        await server.CallAsync("acme", McpCalls.Acme, "break", generation: generation);
        var waiting = new List<Task<System.Text.Json.Nodes.JsonNode>>();
        await Poll.UntilAsync(() =>
        {
            waiting.Add(server.CallAsync("acme", McpCalls.Acme, "whoami", generation: generation));
            clock.Advance(TimeSpan.FromSeconds(6));
            return Task.FromResult(Find(server, generation) is { } after && after != before);
        });
        foreach (var answer in await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken))
        {
            Assert.StartsWith("acme|", answer["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        }

        gate.Open();
        Assert.Equal("acme", (await slow)["content"]![0]!["text"]!.ToString());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_call_under_way_is_answered_although_the_application_stops(Generation generation)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var slow = server.CallAsync("acme", McpCalls.Acme, "slow", generation: generation);
        await gate.WaitForAsync(1);
        var stopping = server.App.StopAsync(TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() => Task.FromResult(server.App.Lifetime.ApplicationStopping.IsCancellationRequested));
        Assert.False(slow.IsCompleted);
        gate.Open();
        Assert.Equal("acme", (await slow)["content"]![0]!["text"]!.ToString());
        await stopping;
    }

    [Fact]
    public async Task A_server_that_the_application_set_up_in_ways_of_its_own_is_left_to_the_sdk()
    {
        await using var usual = await StartAsync(new());
        Assert.NotNull(Find(usual, Generation.Stateless));
        await using var unusual = await TenancyServer.StartAsync(services: services =>
            services.AddMcpServer().WithTools([ModelContextProtocol.Server.McpServerTool.Create(() => "of all tenants", new() { Name = "everywhere" })]));
        Assert.Null(Find(unusual, Generation.Stateless));
        Assert.StartsWith("acme|", (await unusual.CallAsync("acme", McpCalls.Acme, "whoami"))["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_service_that_cannot_be_disposed_of_keeps_no_answer_back(Generation generation)
    {
        var disposals = new Undisposable.Counter();
        await using var server = await TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(disposals).AddScoped<Undisposable>();
            services.AddMcpServer(options => options.Filters.Request.CallToolFilters.Add(next => (request, cancellationToken) =>
            {
                request.Services!.GetRequiredService<Undisposable>();
                return next(request, cancellationToken);
            }));
        });
        for (var i = 0; i < 3; i++)
        {
            var answer = await server.CallAsync("acme", McpCalls.Acme, "whoami", generation: generation).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.StartsWith("acme|", answer["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(3, disposals.Count);
    }

    [Fact]
    public async Task A_handler_that_the_application_set_for_other_tools_is_asked_without_a_session()
    {
#pragma warning disable MCPEXP002 // That it is experimental is no reason to fail with it.
        await using var server = await TenancyServer.StartAsync(services: services => services.AddMcpServer(options => options.Handlers.CallToolWithAlternateHandler =
            (request, _) => new(new CallToolResult { Content = [new TextContentBlock { Text = "of the application" }] })));
#pragma warning restore MCPEXP002
        foreach (var generation in new[] { Generation.Sessions, Generation.Stateless })
        {
            Assert.Equal("of the application", (await server.CallAsync("acme", McpCalls.Acme, "of_the_application", generation: generation))["content"]![0]!["text"]!.ToString());
        }
    }

    [Fact]
    public async Task A_client_that_names_itself_at_length_is_left_to_the_sdk_and_fills_nobody_elses_log()
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<ILoggerProvider>(log).AddLogging(logging => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information)));
        var body = JsonNode.Parse(McpCalls.Message("tools/list", generation: Generation.Stateless))!;
        body["params"]!["_meta"]!["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = new string('x', 1000), ["version"] = "1" };
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body.ToJsonString(), Generation.Stateless);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.NotNull((await McpCalls.ReadAsync(response))["result"]!["tools"]);
        log.Clear();
        await server.CallAsync("acme", McpCalls.Acme, "whoami", generation: Generation.Stateless);
        Assert.Contains(log.Entries, entry => entry.Text.Contains("tools/call", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Entries, entry => entry.Text.Contains("xxx", StringComparison.Ordinal));
    }

    private static StatelessServer? Find(TenancyServer server, Generation generation) => server.Services.GetRequiredService<StatelessServers>().Find(
        ((McpPlatformInstance)server.Services.GetRequiredService<TenantRegistry>().Get("acme")!.Platform!).Kind, generation == Generation.Stateless ? ProtocolVersions.Modern : null);

    private static Task<TenancyServer> StartAsync(SlowTools.Gate gate, TimeProvider? time = null) => TenancyServer.StartAsync(services: services =>
    {
        services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>().AddHandlers<MarkTools>()));
        services.AddHttpContextAccessor().AddSingleton(gate).AddSingleton<MarkLog>().AddSingleton<MarkTools.Leftover>().AddScoped<ScopeMark>();
        if (time is not null)
        {
            services.AddSingleton(time);
        }
    });

    private sealed class Undisposable(Undisposable.Counter disposals) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref disposals.Count);
            throw new InvalidOperationException("It cannot be disposed of.");
        }

        public sealed class Counter
        {
            public int Count;
        }
    }
}
