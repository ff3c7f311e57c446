using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>A session is for the caller and the tenant that began it; to others it does not exist. <see cref="RequestLimits"/> looks it up.</summary>
internal sealed class SessionGuard(RedisConnection redis)
{
    public const string HeaderName = "Mcp-Session-Id";

    /// <summary>Forgets the session that the caller has ended.</summary>
    public async ValueTask ForgetAsync(HttpRequest request, TenantModel tenant, CallerIdentity caller)
    {
        if (request.Headers[HeaderName] is [{ Length: > 0 } id])
        {
            await new SessionStore(redis, tenant.Id).DeleteAsync(id, SessionOwner.Of(tenant, caller));
        }
    }
}
