using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// A request of a session that the MCP SDK answers. It ends as soon as its client cancels it, whatever its handler does: the SDK cancels
/// the handler, and leaves the request open for an answer that does not come.
/// </summary>
/// <remarks>A handler is not cancelled by this: in a session the SDK does not look at the connection.</remarks>
internal sealed class CancellableRequest : IHttpRequestLifetimeFeature, IDisposable
{
    private readonly IFeatureCollection _features;
    private readonly IHttpRequestLifetimeFeature _connection;
    private readonly OpenSession _session;
    private readonly string _requestId;
    private readonly CancellationTokenSource _call;
    private readonly CancellationTokenSource _ends;

    private CancellableRequest(IFeatureCollection features, OpenSession session, string requestId)
    {
        (_features, _session, _requestId) = (features, session, requestId);
        _connection = features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        _call = session.Begin(requestId);
        _ends = CancellationTokenSource.CreateLinkedTokenSource(_connection.RequestAborted, _call.Token);
        RequestAborted = _ends.Token;
        features.Set<IHttpRequestLifetimeFeature>(this);
    }

    /// <summary>Gets whether the client has cancelled the request.</summary>
    public bool IsCancelled => _call.IsCancellationRequested;

    public CancellationToken RequestAborted { get; set; }

    /// <summary>Begins a request; null where nobody can cancel it.</summary>
    public static CancellableRequest? Begin(McpRequest request, OpenSessions sessions) =>
        request is { SessionId: { } sessionId, RequestId: { } requestId } && request.Head.Method is not RequestMethods.Initialize
            ? new(request.Http.Features, sessions.Enter(request.Tenant.Id, sessionId), requestId)
            : null;

    public void Abort() => _connection.Abort();

    public void Dispose()
    {
        _features.Set(_connection);
        _session.End(_requestId, _call);
        _ends.Dispose();
        _call.Dispose();
    }
}
