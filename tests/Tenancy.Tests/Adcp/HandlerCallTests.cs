using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>How a call reaches its handler, and how what the handler does reaches the caller.</summary>
[Tier(Tier.Server)]
public sealed class HandlerCallTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("strict", "price", false)]
    [InlineData("strict", "null", false)]
    [InlineData("strict", "null item", false)]
    [InlineData("warn", "price", true)]
    [InlineData("off", "price", true)]
    public async Task A_malformed_answer_leaves_only_where_answers_are_not_strict(string responses, string mistake, bool leaves)
    {
        await using var server = await StartAsync(settings: new(TenancyServer.DefaultSettings) { ["Tenancy:Adcp:Responses"] = responses });
        var result = await server.CallAsync("acme", McpCalls.Acme, "broken", new() { ["brief"] = mistake });
        Assert.Equal(!leaves, (bool)result["isError"]!);
        Assert.Equal(leaves ? null : "SERVICE_UNAVAILABLE", (string?)result["structuredContent"]!["adcp_error"]?["code"]);
        Assert.Equal(leaves, result["structuredContent"]!["products"] is not null);
        Assert.Equal(leaves, result.ToJsonString().Contains("leaked", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_handler_that_fails_gives_one_fixed_error_and_one_that_refuses_its_own()
    {
        var log = new LogRecorder();
        await using var server = await StartAsync(log: log);
        var failed = await server.CallAsync(
            "acme",
            McpCalls.Acme,
            "broken",
            new()
            {
                ["brief"] = "throw",
                ["context"] = new JsonObject { ["trace"] = 7 },
            }
        );
        var reference = ((string)failed["structuredContent"]!["adcp_error"]!["message"]!).Split("Reference: ")[^1];
        Assert.Equal(
            """{"code":"SERVICE_UNAVAILABLE","message":"The seller could not process the """
                + $$"""request. Reference: {{reference}}","recovery":"transient"}""",
            failed["structuredContent"]!["adcp_error"]!.ToJsonString()
        );
        Assert.Equal("""{"trace":7}""", failed["structuredContent"]!["context"]!.ToJsonString());
        Assert.Equal(failed["structuredContent"]!.ToJsonString(), JsonNode.Parse((string)failed["content"]![0]!["text"]!)!.ToJsonString());

        var entry = Assert.Single(log.Entries, entry => entry.Event == "ToolFailed").Text;
        Assert.Contains("leaked", entry, StringComparison.Ordinal);
        Assert.Contains(reference, entry, StringComparison.Ordinal);

        var refused = await server.CallAsync("acme", McpCalls.Acme, "broken", new() { ["brief"] = "refuse" });
        Assert.Equal(
            """{"code":"PRODUCT_NOT_FOUND","message":"No such product.","recovery":"correctable","field":"brief"}""",
            refused["structuredContent"]!["adcp_error"]!.ToJsonString()
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Generation.Stateless)]
    public async Task A_client_that_goes_ends_the_handler_that_only_reads(Generation? generation)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        using var leaving = new CancellationTokenSource();
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("wait", null, generation),
            generation
        );
        var call = server.Client.SendAsync(request, leaving.Token);
        await gate.WaitForAsync(1);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await server.Services.GetRequiredService<Cancelled>().Seen.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task A_session_that_cancels_a_request_ends_its_handler()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("wait"), sessionId: session);
        var call = server.Client.SendAsync(request, Token);
        await gate.WaitForAsync(1);

        var cancelled = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["method"] = "notifications/cancelled",
            ["params"] = new JsonObject { ["requestId"] = 1 },
        };
        using var cancellation = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, cancelled.ToJsonString(), sessionId: session);
        using var accepted = await server.Client.SendAsync(cancellation, Token);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        await server.Services.GetRequiredService<Cancelled>().Seen.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task A_slow_handler_of_one_caller_delays_nobody()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        await using var session = await ConnectAsync(server, "2025-11-25");
        var slow = server.CallAsync("acme", McpCalls.Acme, "wait");
        var slowInSession = session.CallToolAsync("wait", cancellationToken: Token).AsTask();
        await gate.WaitForAsync(2);

        // Others of its tenant, the same caller, the same session, and other tenants: all answer while it still runs.
        await server.CallAsync("acme", McpCalls.Acme, "get_products");
        await server.CallAsync("acme", null, "get_products");
        await server.CallAsync("globex", McpCalls.Globex, "get_products");
        await session.CallToolAsync("get_products", cancellationToken: Token);
        Assert.False(slow.IsCompleted || slowInSession.IsCompleted);
        gate.Open();
        Assert.Equal("acme", (string?)(await slow)["content"]![0]!["text"]);
        Assert.NotEqual(true, (await slowInSession).IsError);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Generation.Stateless)]
    public async Task Sixteen_calls_of_one_tenant_at_once_each_get_their_own_answer(Generation? generation)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var calls = Enumerable
            .Range(0, 16)
            .Select(number => server.CallAsync("acme", McpCalls.Acme, "echo", new() { ["number"] = number }, generation: generation))
            .ToArray();
        await gate.WaitForAsync(16);
        gate.Open();
        for (var number = 0; number < 16; number++)
        {
            Assert.Equal($"acme {number}", (string?)(await calls[number])["content"]![0]!["text"]);
        }
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task Progress_of_a_handler_is_seen_by_clients_of_both_generations(string version)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        await using var client = await ConnectAsync(server, version);
        Assert.Equal(version, client.NegotiatedProtocolVersion);
        var seen = new Reports();
        var call = client.CallToolAsync("work", new Dictionary<string, object?>(), seen, cancellationToken: Token).AsTask();

        // It is seen while the handler still runs.
        Assert.Equal("half", (await seen.First.Task.WaitAsync(TimeSpan.FromSeconds(20), Token)).Message);
        Assert.False(call.IsCompleted);
        gate.Open();
        Assert.Equal("done", ((TextContentBlock)(await call).Content.Single()).Text);
    }

    private static Task<TenancyServer> StartAsync(
        SlowTools.Gate? gate = null,
        Dictionary<string, string?>? settings = null,
        LogRecorder? log = null
    ) => TenancyServer.StartAsync(settings: settings, services: services =>
        {
            services.AddSingleton<Cancelled>();
            services.AddSingleton<ILoggerProvider>(log ?? new());
            services.AddSingleton(gate ?? new());
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()));
        });

    private static Task<McpClient> ConnectAsync(TenancyServer server, string version) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new HttpClientTransportOptions
                {
                    Endpoint = new Uri(McpCalls.Url(server.Port, Way.Path, "acme")),
                    AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + McpCalls.Acme },
                    TransportMode = HttpTransportMode.StreamableHttp,
                },
                server.NewClient(),
                ownsHttpClient: true
            ),
            new() { ProtocolVersion = version },
            cancellationToken: Token
        );

    private sealed class Cancelled
    {
        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Reports : IProgress<ProgressNotificationValue>
    {
        public TaskCompletionSource<ProgressNotificationValue> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Report(ProgressNotificationValue value) => First.TrySetResult(value);
    }

    private sealed class Handlers(SlowTools.Gate gate, Cancelled cancelled)
    {
        [AdcpTool("broken")]
        public Task<GetProductsResponse> BreakAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken) =>
            Task.FromResult(
                request.Brief switch
                {
                    "throw" => throw new InvalidOperationException("leaked"),
                    "refuse" => throw new AdcpException(AdcpError.ProductNotFound, "No such product.", "brief"),
                    "null item" => new GetProductsResponse { Products = [Product(3), null!] },
                    "null" => new GetProductsResponse { Products = [Product(3) with { Name = null! }] },
                    _ => new GetProductsResponse { Products = [Product(-3)] },
                }
            );

        [McpServerTool(Name = "wait")]
        public async Task<string> WaitAsync(ToolContext context, CancellationToken cancellationToken)
        {
            try
            {
                await gate.EnterAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                cancelled.Seen.TrySetResult();
                throw;
            }

            return context.TenantId.Value;
        }

        [McpServerTool(Name = "echo")]
        public async Task<string> EchoAsync(int number, ToolContext context, CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return $"{context.TenantId} {number}";
        }

        [McpServerTool(Name = "work")]
        public async Task<string> WorkAsync(IProgress<ProgressNotificationValue> progress, CancellationToken cancellationToken)
        {
            progress.Report(
                new()
                {
                    Progress = 1,
                    Total = 2,
                    Message = "half",
                }
            );
            await gate.EnterAsync(cancellationToken);
            return "done";
        }

        private static Product Product(decimal price) =>
            new()
            {
                ProductId = "leaked",
                Name = "x",
                Description = "x",
                PublisherProperties = [new() { PublisherDomain = "example.com" }],
                FormatIds = [],
                DeliveryType = DeliveryType.NonGuaranteed,
                PricingOptions =
                [
                    new()
                    {
                        PricingOptionId = "cpm",
                        PricingModel = "cpm",
                        Currency = "USD",
                        FixedPrice = price,
                    },
                ],
                ReportingCapabilities = new(),
            };
    }
}
