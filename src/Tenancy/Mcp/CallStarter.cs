using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>Begins the calls of handlers, for whichever way a request takes to them.</summary>
internal sealed class CallStarter(IServiceScopeFactory scopes, ToolContextFactory contexts, ConcurrentCalls places, ILogger<Call> logger)
{
    /// <summary>Begins a call.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="user">The caller as ASP.NET Core has it; most tools do without, see <see cref="TenantTool.NeedsUser"/>.</param>
    /// <param name="tool">The tool; null for another kind of handler.</param>
    /// <param name="revision">The revision of the protocol; null where the MCP SDK's own server knows it.</param>
    /// <returns>The call, or why there is none.</returns>
    public (Call? Call, Refusal? Refusal) TryBegin(
        TenantModel tenant,
        CallerIdentity caller,
        ClaimsPrincipal? user = null,
        TenantTool? tool = null,
        string? revision = null
    )
    {
        // The gate has asked the same of the name in the message; this asks it of the tool that is about to run.
        if (!contexts.MayCall(tenant, caller, tool?.ProtocolTool.Name))
        {
            return (null, Refusal.NoCredentials);
        }

        if (tool is not null && ToolScopes.Missing(tenant, user, tool) is { Count: > 0 } scopesMissing)
        {
            return (null, caller.IsAnonymous ? Refusal.NoCredentials : Refusal.InsufficientScope(scopesMissing));
        }

        if (places.TryTake(tenant, caller) is not { } place)
        {
            return (null, Refusal.TooManyCalls);
        }

        // A handler may run on after its request, whose hold on the platform ends with it.
        if (!tenant.Platform!.TryHold())
        {
            place.GiveBack();
            return (null, Refusal.TenantChanged);
        }

        return (new(tenant, caller, contexts, place, scopes, logger) { User = user, Revision = revision }, null);
    }
}
