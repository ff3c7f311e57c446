using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Sees all that the MCP SDK sends to a session. What it, or a handler by it, has to say beside the answer to a request goes on the stream
/// that the session has open here; where it has none, a notification is dropped, as the SDK does it. Questions are noted, so that it is
/// known whose the answers are.
/// </summary>
internal sealed class SessionMessages(OpenSessions sessions, OpenStreams streams)
{
    // Requests that have their answers. A handler may go on and have something to say.
    private readonly ConditionalWeakTable<ITransport, JsonRpcMessage> _answered = [];

    /// <summary>Has the messages of a session go this way.</summary>
    public void AddTo(McpServerOptions options, TenantId tenant, string sessionId)
    {
        options.Filters.Message.OutgoingFilters.Add(next =>
            async (context, cancellationToken) =>
            {
                var message = Note(context.JsonRpcMessage, tenant, sessionId);
                try
                {
                    if (IsUnsolicited(message))
                    {
                        await SendAsync(message, streams.Find(tenant, sessionId), cancellationToken);
                        return;
                    }

                    await next(With(context, message), cancellationToken);
                }
                catch (Exception) when (context.JsonRpcMessage is JsonRpcRequest question)
                {
                    // It was noted before it was sent, as its answer may come at once. Nobody waits for an answer any more.
                    sessions.Find(tenant, sessionId)?.GiveUp(question.Id);
                    throw;
                }
            }
        );
        options.Filters.Message.IncomingFilters.Add(next =>
            (context, cancellationToken) =>
                next(With(context, Agreed(Answered(context.JsonRpcMessage, tenant, sessionId))), cancellationToken)
        );
    }

    /// <summary>Gives the message as the client gets it: a question has another id there.</summary>
    private JsonRpcMessage Note(JsonRpcMessage message, TenantId tenant, string sessionId)
    {
        if (message is JsonRpcResponse or JsonRpcError && message.Context?.RelatedTransport is { } request)
        {
            _answered.AddOrUpdate(request, message);
        }

        return message switch
        {
            JsonRpcRequest question => new JsonRpcRequest
            {
                Id = sessions.Enter(tenant, sessionId).Ask(question.Id),
                Method = question.Method,
                Params = question.Params,
                Context = question.Context,
            },
            JsonRpcNotification { Method: NotificationMethods.CancelledNotification, Params: JsonObject given } cancelled
                when IdOf(given["requestId"]) is { } id && sessions.Find(tenant, sessionId)?.GiveUp(id) is { } asked =>
                new JsonRpcNotification
                {
                    Method = cancelled.Method,
                    Params = Renamed(given, asked),
                    Context = cancelled.Context,
                },
            _ => message,
        };
    }

    /// <summary>Gives the answer to a question the id that the MCP SDK knows the question by.</summary>
    private JsonRpcMessage Answered(JsonRpcMessage message, TenantId tenant, string sessionId) =>
        message is JsonRpcMessageWithId and not JsonRpcRequest and var answer
        && answer is JsonRpcMessageWithId { Id.Id: string id }
        && sessions.Find(tenant, sessionId)?.Forget("\"" + id) is { } question
            ? answer switch
            {
                JsonRpcResponse response => new JsonRpcResponse
                {
                    Id = question,
                    Result = response.Result,
                    Context = response.Context,
                },
                JsonRpcError error => new JsonRpcError
                {
                    Id = question,
                    Error = error.Error,
                    Context = error.Context,
                },
                _ => message,
            }
            : message;

    // The MCP SDK refuses a revision that is later than those which have sessions, where another is to be offered. See
    // findings/mcp-csharp-sdk-later-revision.sh.
    private static JsonRpcMessage Agreed(JsonRpcMessage message)
    {
        if (
            message is not JsonRpcRequest { Method: RequestMethods.Initialize, Params: JsonObject given } request
            || given["protocolVersion"] is not JsonValue version
            || !version.TryGetValue(out string? requested)
            || ProtocolVersions.Agree(requested) == requested
        )
        {
            return message;
        }

        var agreed = given.DeepClone().AsObject();
        agreed["protocolVersion"] = ProtocolVersions.Agree(requested);
        return new JsonRpcRequest
        {
            Id = request.Id,
            Method = request.Method,
            Params = agreed,
            Context = request.Context,
        };
    }

    private static MessageContext With(MessageContext context, JsonRpcMessage message) =>
        ReferenceEquals(message, context.JsonRpcMessage)
            ? context
            : new(context.Server, message) { Services = context.Services, User = context.User };

    private static RequestId? IdOf(JsonNode? id) =>
        id is not JsonValue value ? null
        : value.TryGetValue<string>(out var text) ? new(text)
        : value.TryGetValue<long>(out var number) ? new(number)
        : null;

    private static JsonObject Renamed(JsonObject cancelled, RequestId id)
    {
        var renamed = cancelled.DeepClone().AsObject();
        renamed["requestId"] = (string)id.Id!;
        return renamed;
    }

    // What belongs to a request goes before its answer, and after that the way of all else. So does a question where the answer is plain
    // JSON: it would wait for an answer that nobody was asked for.
    private bool IsUnsolicited(JsonRpcMessage message) =>
        message is JsonRpcNotification or JsonRpcRequest
        && (
            message.Context?.RelatedTransport is not { } request
            || _answered.TryGetValue(request, out _)
            || RequestFlow.Current is { Reply.IsOver: true }
            || (message is JsonRpcRequest && RequestFlow.Current is { Reply.IsJson: true })
        );

    private static async Task SendAsync(JsonRpcMessage message, SessionStream? stream, CancellationToken cancellationToken)
    {
        var isSent = stream is not null && await stream.SendAsync(message, cancellationToken);
        if (!isSent && message is JsonRpcRequest request)
        {
            throw new McpException(
                $"The client cannot be asked '{request.Method}': its request does not accept text/event-stream, or is over, and its "
                    + "session has no stream open on this node."
            );
        }
    }
}
