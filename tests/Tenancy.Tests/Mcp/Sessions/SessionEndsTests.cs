using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>With a session what runs in it ends, whoever ends it, and on whichever node.</summary>
[Tier(Tier.Process)]
public sealed class SessionEndsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("wait", 0)]
    [InlineData("wait", 1)]
    [InlineData("wait_with_server", 0)]
    [InlineData("wait_with_server", 1)]
    public async Task A_session_that_an_admin_ends_takes_its_calls_along(string tool, int endedOn)
    {
        var waiting = new Waiting();
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (_, services) =>
                services.AddSingleton(waiting).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<WaitTools>()))
        );
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Post(nodes[0].Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool), sessionId: session);
        var calling = nodes[0].Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await waiting.Began.WaitAsync(TimeSpan.FromSeconds(20), Token);

        using var listed = await nodes[endedOn].AdminAsync(HttpMethod.Get, "/acme/sessions");
        var handle = (await McpCalls.ReadAsync(listed))["sessions"]!.AsArray().Single()!["handle"]!.ToString();
        using var ended = await nodes[endedOn].AdminAsync(HttpMethod.Delete, $"/acme/sessions/{handle}");
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await waiting.Cancelled.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using var answer = await calling;
    }

    [Theory]
    [InlineData("wait")]
    [InlineData("wait_with_server")]
    public async Task One_that_its_client_ends_takes_its_calls_along_and_none_of_them_fails(string tool)
    {
        var waiting = new Waiting();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(waiting).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<WaitTools>()))
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool), sessionId: session);
        var calling = server.Client.SendAsync(request, Token);
        await waiting.Began.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using var end = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool), sessionId: session);
        (end.Method, end.Content) = (HttpMethod.Delete, null);
        using var ended = await server.Client.SendAsync(end, Token);
        Assert.True(ended.IsSuccessStatusCode, $"{ended.StatusCode}");
        await waiting.Cancelled.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using var answer = await calling.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.True((int)answer.StatusCode < 300, $"{answer.StatusCode}");

        // The SDK may still have said that the call was cancelled.
        var text = await answer.Content.ReadAsStringAsync(Token);
        Assert.True(text.Length == 0 || text.Contains("rror\"", StringComparison.Ordinal), text);
    }

    [Fact]
    public async Task A_call_that_ends_with_the_platform_whose_tool_it_is_says_so()
    {
        var waiting = new Waiting();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(waiting).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<WaitTools>()))
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("wait_with_server"),
            sessionId: session
        );
        var calling = server.Client.SendAsync(request, Token);
        await waiting.Began.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"platform":"retailer"}""");
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var next = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("prompts/list"), sessionId: session);
        using var listed = await server.Client.SendAsync(next, Token);
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        using var answer = await calling.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("The tenant has changed", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_whose_client_says_much_of_itself_goes_on_at_another_node()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        var icon = "data:image/png;base64," + new string('A', 20_000);
        var initialize = McpCalls.Message(
            "initialize",
            new()
            {
                ["protocolVersion"] = "2025-11-25",
                ["capabilities"] = new JsonObject { ["sampling"] = new JsonObject() },
                ["clientInfo"] = new JsonObject
                {
                    ["name"] = "large",
                    ["version"] = "1",
                    ["icons"] = new JsonArray(new JsonObject { ["src"] = icon }),
                },
            }
        );
        using var request = McpCalls.Post(nodes[0].Port, Way.Path, "acme", McpCalls.Acme, initialize);
        using var begun = await nodes[0].Client.SendAsync(request, Token);
        Assert.True(begun.IsSuccessStatusCode, await begun.Content.ReadAsStringAsync(Token));
        var session = begun.Headers.GetValues("Mcp-Session-Id").Single();
        using var next = McpCalls.Post(nodes[1].Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("ping"), sessionId: session);
        using var answer = await nodes[1].Client.SendAsync(next, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    internal sealed class Waiting
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Began => _began.Task;

        public Task Cancelled => _cancelled.Task;

        public async Task<string> WaitAsync(CancellationToken cancellationToken)
        {
            _began.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return "";
            }
            catch (OperationCanceledException)
            {
                _cancelled.SetResult();
                throw;
            }
        }
    }

    private sealed class WaitTools(Waiting waiting)
    {
        [McpServerTool(Name = "wait")]
        public Task<string> WaitAsync(CancellationToken cancellationToken) => waiting.WaitAsync(cancellationToken);

        [McpServerTool(Name = "wait_with_server")]
        public Task<string> WaitAsync(McpServer server, CancellationToken cancellationToken)
        {
            ArgumentNullException.ThrowIfNull(server);
            return waiting.WaitAsync(cancellationToken);
        }
    }
}
