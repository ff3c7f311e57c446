using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Mcp.Sessions;
using Tenancy.State;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Sees all that the MCP SDK sends to a session. What it, or a handler by it, has to say beside the answer to a request goes on the stream
/// that the session has open here; where it has none, a notification is dropped, as the SDK does it. Questions are noted, so that it is
/// known whose the answers are.
/// </summary>
internal sealed class SessionMessages(OpenSessions sessions, OpenStreams streams, FleetNodes nodes)
{
    // Requests that have their answers. A handler may go on and have something to say.
    private readonly ConditionalWeakTable<ITransport, JsonRpcMessage> _answered = [];

    /// <summary>Has the messages of a session go this way.</summary>
    public void AddTo(McpServerOptions options, TenantId tenant, string sessionId) =>
        options.Filters.Message.OutgoingFilters.Add(next =>
            async (context, cancellationToken) =>
            {
                var message = context.JsonRpcMessage;
                Note(message, tenant, sessionId);
                if (IsUnsolicited(message))
                {
                    await SendAsync(message, streams.Find(tenant, sessionId), cancellationToken);
                    return;
                }

                await DeclareAsync(message);
                await next(context, cancellationToken);
            }
        );

    private void Note(JsonRpcMessage message, TenantId tenant, string sessionId)
    {
        switch (message)
        {
            case JsonRpcRequest question:
                sessions.Enter(tenant, sessionId).Ask(IdOf(question.Id));
                break;
            case JsonRpcNotification { Method: NotificationMethods.CancelledNotification, Params: JsonObject cancelled }:
                sessions.Find(tenant, sessionId)?.TryAnswer(IdOf(cancelled["requestId"]));
                break;
        }

        if (message is JsonRpcResponse or JsonRpcError && message.Context?.RelatedTransport is { } request)
        {
            _answered.AddOrUpdate(request, message);
        }
    }

    // What is declared when a session begins is to be true: see Deliveries.
    private async Task DeclareAsync(JsonRpcMessage message)
    {
        if (
            message is JsonRpcResponse { Result: JsonObject result }
            && result["capabilities"] is JsonObject capabilities
            && capabilities.ContainsKey("logging")
            && await nodes.HasOthersAsync()
        )
        {
            capabilities.Remove("logging");
        }
    }

    private static string IdOf(RequestId id) => id.Id is string text ? "\"" + text : id.ToString();

    private static string IdOf(JsonNode? id) =>
        id is JsonValue value && value.TryGetValue<string>(out var text) ? "\"" + text : id?.ToJsonString() ?? "";

    // What belongs to a request goes before its answer, and after that the way of all else.
    private bool IsUnsolicited(JsonRpcMessage message) =>
        message is JsonRpcNotification or JsonRpcRequest
        && (message.Context?.RelatedTransport is not { } request || _answered.TryGetValue(request, out _) || IsOver());

    private static bool IsOver() => RequestFlow.Current is { Reply.IsOver: true };

    private static Task SendAsync(JsonRpcMessage message, SessionStream? stream, CancellationToken cancellationToken) =>
        stream is not null ? stream.SendAsync(message, cancellationToken)
        : message is JsonRpcRequest request
            ? throw new InvalidOperationException(
                $"The client cannot be asked '{request.Method}' outside of a call: its session has no stream open on this node."
            )
        : Task.CompletedTask;
}
