using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Calls;

/// <summary>Begins the calls of handlers, for whichever way a request takes to them.</summary>
internal sealed class CallStarter(IServiceScopeFactory scopes, ToolContextFactory contexts, ConcurrentCalls places)
{
    /// <summary>Begins a call of a tool, or of something else where <paramref name="tool"/> is null.</summary>
    /// <returns>The call, or why there is none.</returns>
    public (Call? Call, Refusal? Refusal) TryBegin(TenantModel tenant, ClaimsPrincipal user, CallerIdentity caller, TenantTool? tool = null)
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

        if (places.TryTake(tenant) is not { } place)
        {
            return (null, Refusal.TooManyCalls);
        }

        // A handler may run on after its request, whose hold on the platform ends with it.
        if (!tenant.Platform!.TryHold())
        {
            place.GiveBack();
            return (null, Refusal.TenantChanged);
        }

        return (new(tenant, contexts, contexts.Create(tenant, caller), place, scopes), null);
    }
}
