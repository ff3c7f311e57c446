using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Has the MCP SDK take a session over anew where it has it with the tools of a platform that the tenant has left. The session itself goes
/// on: it comes back from the store with the tools that there are now.
/// </summary>
internal sealed class StaleSessions(IServiceProvider application, OpenSessions sessions, TimeProvider time)
{
    // The SDK waits for handlers, also for those that ignore that they are cancelled.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private readonly Lazy<RequestDelegate> _delete = new(() => SdkEndpoints.Find(application, HttpMethods.Delete));

    /// <summary>Renews the session of a request where need be.</summary>
    /// <returns>False where the SDK still has it with the tools that the tenant has left: a handler of before does not end.</returns>
    public async ValueTask<bool> TryRenewAsync(McpRequest request)
    {
        if (request.SessionId is not { } id || sessions.Find(request.Tenant.Id, id) is not { } session)
        {
            return true;
        }

        var user = request.Http.User;
        var renewal = session.RenewAsync(request.Platform.Kind, () =>
        {
            session.KnowsLogLevel = false;
            return ForgetAsync(user, id);
        });
        try
        {
            await renewal.WaitAsync(MaxWait, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    // As a request that ends it would: there is no other way.
    private Task ForgetAsync(ClaimsPrincipal user, string sessionId)
    {
        var delete = new DefaultHttpContext { RequestServices = application, User = user };
        delete.Request.Method = HttpMethods.Delete;
        delete.Request.Headers[McpRequest.SessionIdHeader] = sessionId;
        return _delete.Value(delete);
    }
}
