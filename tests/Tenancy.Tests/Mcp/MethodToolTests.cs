using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Methods with the MCP SDK's attribute: which of them are called directly, and with what.</summary>
[Tier(Tier.Server)]
public sealed class MethodToolTests
{
    [Theory]
    [InlineData("order", false)]
    [InlineData("any_values", false)]
    [InlineData("services", false)]
    [InlineData("no_service", false)]
    [InlineData("contents", false)]
    [InlineData("structured_order", false)]
    [InlineData("client", true)]
    [InlineData("notify", true)]
    [InlineData("ask_input", true)]
    public async Task A_method_needs_the_sdks_server_only_where_a_parameter_asks_for_something_of_it(string tool, bool needsServer)
    {
        await using var server = await DifferenceTests.StartOursAsync(_ => { });
        var tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var found = McpPlatformInstance.Of(tenant).Kind.Tools.Single(one => one.ProtocolTool.Name == tool);
        Assert.Equal(needsServer, ((MethodTool)found).NeedsServer);
    }

    [Theory]
    [InlineData("""{"count":2}""", "acme 2", 1)]
    [InlineData("""{"count":"two"}""", "count must be a whole number.", 0)]
    [InlineData("""{"count":-1}""", "An error occurred invoking 'kept'.", 1)]
    public async Task Handlers_are_made_for_a_call_whose_arguments_hold_and_disposed_of_at_its_end(string arguments, string text, int made)
    {
        var log = new KeptLog();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(log).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<KeptTools>()))
        );
        var result = await server.CallAsync("acme", McpCalls.Acme, "kept", JsonNode.Parse(arguments)!.AsObject());
        Assert.Contains(text, result["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal((made, made), (log.Made, log.Disposed));
    }

    internal sealed class KeptLog
    {
        public int Made { get; set; }

        public int Disposed { get; set; }
    }

    internal sealed class KeptTools : IAsyncDisposable
    {
        private readonly KeptLog _log;

        public KeptTools(KeptLog log)
        {
            _log = log;
            _log.Made++;
        }

        [McpServerTool(Name = "kept")]
        public async Task<string> KeepAsync(int count, ToolContext context)
        {
            await Task.Yield();
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            Assert.Equal(0, _log.Disposed);
            return $"{context.TenantId} {count}";
        }

        public ValueTask DisposeAsync()
        {
            _log.Disposed++;
            return default;
        }
    }
}
