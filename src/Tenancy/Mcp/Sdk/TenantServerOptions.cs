using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>Makes a server of the MCP SDK's the tenant's: its name, and what its platform has.</summary>
internal sealed class TenantServerOptions(SessionMessages messages)
{
    /// <summary>The MCP SDK calls this for each new session, and for each request that has none.</summary>
    public async Task ConfigureAsync(HttpContext context, McpServerOptions options, CancellationToken cancellationToken)
    {
        var tenant = context.Features.Get<ITenantFeature>()?.Tenant
            ?? throw new InvalidOperationException(
                "An MCP endpoint has no tenant: map it with MapTenantMcp, and call UseTenancy before it."
            );
        var kind = McpPlatformInstance.Of(tenant).Kind;
        options.ServerInfo = ServerDescription.Of(ServerDescription.NameOf(tenant));
        options.ToolCollection = kind.Tools;

        // What is declared can be asked for: without credentials that is the list of tools alone.
        if (RequestFlow.Current is not { IsStranger: true })
        {
            options.PromptCollection = kind.Prompts;
            options.ResourceCollection = kind.Resources;
        }

        if (context.Response.Headers[McpRequest.SessionIdHeader] is not [{ Length: > 0 } sessionId])
        {
            return;
        }

        messages.AddTo(options, tenant.Id, sessionId);

        // A new session's id stands in the answer alone. It is recorded before anybody can use it; one that comes back is there already.
        if (!context.Request.Headers.ContainsKey(McpRequest.SessionIdHeader))
        {
            var place = context.Features.Get<SessionPlace>()
                ?? throw new InvalidOperationException("A session was about to begin that no place was kept for.");
            await place.TakeAsync(sessionId);
        }
    }
}
