using System.Net;
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
