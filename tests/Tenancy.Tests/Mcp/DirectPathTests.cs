using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Plain calls are answered without the MCP SDK, and the application has its say all the same.</summary>
[Tier(Tier.Server)]
public sealed class DirectPathTests
{
    public static TheoryData<Generation> Both { get; } = [Generation.Sessions, Generation.Stateless];

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

    [Theory, MemberData(nameof(Both))]
    public async Task A_server_that_the_application_set_up_in_ways_of_its_own_is_left_to_the_sdk(Generation generation)
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var unusual = await TenancyServer.StartAsync(services: services =>
            services
                .AddSingleton<ILoggerProvider>(log)
                .AddLogging(logging => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information))
                .AddMcpServer()
                .WithTools([ModelContextProtocol.Server.McpServerTool.Create(() => "of all tenants", new() { Name = "everywhere" })])
        );
        Assert.StartsWith(
            "acme|",
            (await unusual.CallAsync("acme", McpCalls.Acme, "whoami", generation: generation))["content"]![0]!["text"]!.ToString(),
            StringComparison.Ordinal
        );
        Assert.Contains(log.Entries, entry => entry.Text.Contains("tools/call", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_plain_call_asks_nothing_of_the_sdk(Generation generation)
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var server = await TenancyServer.StartAsync(services: services =>
            services
                .AddSingleton<ILoggerProvider>(log)
                .AddLogging(logging => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information))
        );
        Assert.StartsWith(
            "acme|",
            (await server.CallAsync("acme", McpCalls.Acme, "whoami", generation: generation))["content"]![0]!["text"]!.ToString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(log.Entries, entry => entry.Text.Contains("tools/call", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_service_that_cannot_be_disposed_of_keeps_no_answer_back(Generation generation)
    {
        var disposals = new Undisposable.Counter();
        await using var server = await TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(disposals).AddScoped<Undisposable>();
            services.AddMcpServer(options =>
                options.Filters.Request.CallToolFilters.Add(next =>
                    (request, cancellationToken) =>
                    {
                        request.Services!.GetRequiredService<Undisposable>();
                        return next(request, cancellationToken);
                    }
                )
            );
        });
        for (var i = 0; i < 3; i++)
        {
            var answer = await server
                .CallAsync("acme", McpCalls.Acme, "whoami", generation: generation)
                .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.StartsWith("acme|", answer["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        }

        // The last answer may be read before what served it is disposed of.
        await Poll.UntilAsync(() => Task.FromResult(disposals.Count == 3));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"_meta\":{\"progressToken\":1}")]
    public async Task A_handlers_service_that_cannot_be_disposed_of_keeps_no_answer_back_on_either_way(string meta)
    {
        var log = new LogRecorder();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services
                .AddSingleton<ILoggerProvider>(log)
                .AddScoped<Brittle>()
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<BrittleTools>()))
        );
        var message = McpCalls.Call("brittle").Replace("\"arguments\":{}", "\"arguments\":{}" + meta, StringComparison.Ordinal);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, message);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("done", (await McpCalls.ReadAsync(response))["result"]!["content"]![0]!["text"]!.ToString());
        Assert.Single(log.Errors, entry => entry.Event == "CallServicesNotDisposed");
    }

    [Fact]
    public async Task An_answer_with_tabs_between_its_tokens_is_the_same_json_as_a_text()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<WrittenTools>()))
        );
        var result = await server.CallAsync("acme", McpCalls.Acme, "written");
        Assert.Equal(1, (int)result["structuredContent"]!["a"]!);
        Assert.Equal(1, (int)JsonNode.Parse(result["content"]![0]!["text"]!.ToString())!["a"]!);
    }

    [Fact]
    public async Task A_handler_that_the_application_set_for_other_tools_is_asked_without_a_session()
    {
#pragma warning disable MCPEXP002 // That it is experimental is no reason to fail with it.
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddMcpServer(options =>
                options.Handlers.CallToolWithAlternateHandler = (request, _) =>
                    new(new CallToolResult { Content = [new TextContentBlock { Text = "of the application" }] })
            )
        );
#pragma warning restore MCPEXP002
        foreach (var generation in new[] { Generation.Sessions, Generation.Stateless })
        {
            Assert.Equal(
                "of the application",
                (await server.CallAsync("acme", McpCalls.Acme, "of_the_application", generation: generation))["content"]![0]![
                    "text"
                ]!.ToString()
            );
        }
    }

    private static Task<TenancyServer> StartAsync(SlowTools.Gate gate, TimeProvider? time = null) =>
        TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>().AddHandlers<MarkTools>()));
            services
                .AddHttpContextAccessor()
                .AddSingleton(gate)
                .AddSingleton<MarkLog>()
                .AddSingleton<MarkTools.Leftover>()
                .AddScoped<ScopeMark>();
            if (time is not null)
            {
                services.AddSingleton(time);
            }
        });

    public sealed class Brittle : IDisposable
    {
        public void Dispose() => throw new InvalidOperationException("It cannot be disposed of.");
    }

    [McpServerToolType]
    public sealed class BrittleTools(Brittle brittle)
    {
        [McpServerTool(Name = "brittle")]
        public string Run() => brittle is null ? "nothing" : "done";
    }

    public sealed class WrittenTools
    {
        [Written]
        public void Run()
        {
            // The tool answers without it.
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class WrittenAttribute : TenantToolAttribute
    {
        public override TenantTool CreateTool(Type handlers, System.Reflection.MethodInfo method, IServiceProvider services) =>
            new WrittenTool();
    }

    private sealed class WrittenTool : TenantTool
    {
        public override Tool ProtocolTool { get; } = new() { Name = "written" };

        public override ToolRun Read(ReadOnlySpan<byte> arguments) => ToolRun.Answered(ToolAnswer.FromJson("{\"a\":\t1}"u8.ToArray()));
    }

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
