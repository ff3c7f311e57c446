using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Takes out of the answer to an <c>initialize</c> that begins no session what there is in sessions only: a log level, which clients set
/// at once where they may.
/// </summary>
internal static class SessionlessCapabilities
{
    public static void Declare(McpServerOptions options) => options.Filters.Message.OutgoingFilters.Add(Filter);

    private static McpMessageHandler Filter(McpMessageHandler next) =>
        (context, cancellationToken) =>
        {
            if (
                context is { JsonRpcMessage: JsonRpcResponse { Result: JsonObject result }, Server.SessionId: null }
                && result.ContainsKey("protocolVersion")
                && result["capabilities"] is JsonObject capabilities
            )
            {
                capabilities.Remove("logging");
            }

            return next(context, cancellationToken);
        };
}
