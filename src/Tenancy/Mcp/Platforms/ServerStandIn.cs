using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// What a method of the MCP SDK's own form sees as its server in a direct call: by which revision it is called, and no way to the client.
/// </summary>
/// <remarks>
/// A method that takes McpServer is not called directly, so that no handler meets what is missing here. The SDK asks it for the revision.
/// </remarks>
// To derive from McpServer is experimental. The difference tests notice where it comes to mean something else.
#pragma warning disable MCPEXP002
internal sealed class ServerStandIn(McpServerOptions options, IServiceProvider services, string? version) : McpServer
#pragma warning restore MCPEXP002
{
    public override string? SessionId => null;

    public override string? NegotiatedProtocolVersion => version;

    public override ClientCapabilities? ClientCapabilities => null;

    public override Implementation? ClientInfo => null;

    public override McpServerOptions ServerOptions => options;

    public override IServiceProvider? Services => services;

#pragma warning disable MCP9005, CS0672 // Logging to clients is deprecated, and abstract all the same.
    public override LoggingLevel? LoggingLevel => null;
#pragma warning restore MCP9005, CS0672

    public override Task RunAsync(CancellationToken cancellationToken = default) => throw NoClient();

    public override Task<JsonRpcResponse> SendRequestAsync(JsonRpcRequest request, CancellationToken cancellationToken = default) =>
        throw NoClient();

    public override Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default) => throw NoClient();

    public override IAsyncDisposable RegisterNotificationHandler(
        string method,
        Func<JsonRpcNotification, CancellationToken, ValueTask> handler
    ) => throw NoClient();

    public override ValueTask DisposeAsync() => default;

    private static InvalidOperationException NoClient() =>
        new("The call has no way to its client: take McpServer as a parameter of the method.");
}
