using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.State;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Tells the MCP SDK the log level of a session that it has just made here, because another node had the session, or it let it go.
/// </summary>
internal sealed class LogLevels(RedisConnection redis, OpenSessions sessions, SdkInbox sdk)
{
    /// <summary>Sees to it that the SDK knows the level. The store is asked once for each session that it takes over.</summary>
    public async ValueTask RestoreAsync(McpRequest request)
    {
        if (request.SessionId is not { } id || sessions.Enter(request.Tenant.Id, id) is not { KnowsLogLevel: false } session)
        {
            return;
        }

        var store = new SessionStore(redis, request.Tenant.Id, request.Tenant.Generation);
        if (await store.FindLogLevelAsync(id, SessionGuard.Owner(request.Tenant, request.Caller)) is { } level)
        {
            await sdk.PostAsync(request.Tenant, request.User, id, Deliveries.LogLevelMessage(level));
        }

        session.KnowsLogLevel = true;
    }
}
