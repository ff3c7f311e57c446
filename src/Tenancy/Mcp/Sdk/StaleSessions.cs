using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Has the MCP SDK take a session over anew where it has it with the tools of a platform that the tenant has left. The session itself goes
/// on: it comes back from the store with the tools that there are now.
/// </summary>
internal sealed class StaleSessions(IServiceProvider application, OpenSessions sessions)
{
    private readonly Lazy<RequestDelegate> _delete = new(() => SdkEndpoints.Find(application, HttpMethods.Delete));

    /// <summary>Renews the session of a request where need be.</summary>
    public Task RenewAsync(McpRequest request) =>
        request.SessionId is { } id && sessions.Find(request.Tenant.Id, id) is { } session
            ? session.RenewAsync(request.Platform.Kind, () => ForgetAsync(request.Http, id))
            : Task.CompletedTask;

    // As a request that ends it would: there is no other way.
    private Task ForgetAsync(HttpContext http, string sessionId)
    {
        var delete = new DefaultHttpContext { RequestServices = application, User = http.User };
        delete.Request.Method = HttpMethods.Delete;
        delete.Request.Headers[McpRequest.SessionIdHeader] = sessionId;
        return _delete.Value(delete);
    }
}
