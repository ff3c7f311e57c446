using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Lets a session be used by the caller and at the tenant that began it, and by nobody else: to others it does not exist.</summary>
internal sealed class SessionGuard(RedisConnection redis)
{
    public const string HeaderName = "Mcp-Session-Id";

    /// <summary>Whether the request may go on: it has no session, or one of its own.</summary>
    public async ValueTask<bool> AllowsAsync(HttpRequest request, TenantModel tenant, CallerIdentity caller)
    {
        var sessionId = request.Headers[HeaderName];
        return sessionId.Count switch
        {
            0 => true,
            1 when sessionId[0] is { Length: > 0 and <= 256 } id => await new SessionStore(redis, tenant.Id).TouchAsync(id, SessionOwner.Of(tenant, caller)),
            _ => false,
        };
    }

    /// <summary>Forgets the session that the caller has ended.</summary>
    public async ValueTask ForgetAsync(HttpRequest request, TenantModel tenant, CallerIdentity caller)
    {
        if (request.Headers[HeaderName] is [{ Length: > 0 } id])
        {
            await new SessionStore(redis, tenant.Id).DeleteAsync(id, SessionOwner.Of(tenant, caller));
        }
    }
}
