using ModelContextProtocol.Protocol;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// What a client tells a session that only the right node can act upon: that a request is cancelled, the answer to a question, a log level.
/// What this node cannot deliver it refuses, so that no client takes for done what nobody does.
/// </summary>
internal sealed class Deliveries(OpenSessions open, FleetNodes nodes)
{
    /// <summary>
    /// Delivers what is this node's to deliver; the MCP SDK hears of it, too, as the request or the question may be its own.
    /// </summary>
    /// <returns>Why it cannot be delivered, where that is so.</returns>
    public async ValueTask<Refusal?> DeliverAsync(McpRequest request) =>
        request.Head switch
        {
            { Method: NotificationMethods.CancelledNotification } => Cancel(request),
            { IsAnswer: true } => Answer(request),
            { Method: McpRequest.SetLogLevel, IsRequest: true } when !request.IsModern => await SetLogLevelAsync(request),
            _ => null,
        };

    private Refusal? Cancel(McpRequest request)
    {
        var id = request.Head.CancelledId;
        return !MessageHead.IsEmpty(id) && Find(request) is { } session && session.TryCancel(RequestIds.Read(request.Body.Span[id]))
            ? null
            : Refusal.NoSuchRequest;
    }

    private Refusal? Answer(McpRequest request) =>
        Find(request) is { } session && session.TryAnswer(RequestIds.Read(request.Body.Span[request.Head.Id]))
            ? null
            : Refusal.NoSuchQuestion;

    // The level is kept with the MCP SDK's session, and each node has one of its own.
    private async ValueTask<Refusal?> SetLogLevelAsync(McpRequest request) =>
        request.SessionId is null || await nodes.HasOthersAsync() ? Refusal.NoLogLevel : null;

    private OpenSession? Find(McpRequest request) => request.SessionId is { } id ? open.Find(request.Tenant.Id, id) : null;
}
