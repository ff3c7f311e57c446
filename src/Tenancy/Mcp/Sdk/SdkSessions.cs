using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Mcp.Sessions;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// What the MCP SDK asks and tells of its sessions: one began, and one is named that it does not have, because it let it go or another node
/// began it.
/// </summary>
internal sealed class SdkSessions(SessionGuard sessions) : ISessionMigrationHandler
{
    public ValueTask OnSessionInitializedAsync(
        HttpContext context,
        string sessionId,
        InitializeRequestParams initializeParams,
        CancellationToken cancellationToken
    )
    {
        // The SDK gives the HttpContext that the session began with, which is over where a client says this a second time.
        var flow = RequestFlow.Current ?? throw new InvalidOperationException("A session was begun outside a tenant's request.");
        return sessions.KeepClientAsync(flow.Tenant, flow.Caller, sessionId, initializeParams);
    }

    public ValueTask<InitializeRequestParams?> AllowSessionMigrationAsync(
        HttpContext context,
        string sessionId,
        CancellationToken cancellationToken
    )
    {
        // The id may be that of another tenant's session, or of another caller's. So it is looked up among this tenant's sessions only, and
        // its owner is compared.
        var tenant = context.Features.GetRequiredFeature<ITenantFeature>().Tenant;
        return sessions.FindClientAsync(tenant, CallerIdentity.Read(context.User, tenant.Id), sessionId);
    }
}
