using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The MCP sessions of one tenant: which caller each belongs to, and until when.</summary>
internal sealed class SessionStore(RedisConnection redis, TenantId tenant)
{
    /// <summary>How long a session lives after its last use: two hours, as long as the MCP SDK keeps it.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    private readonly TenantKeyspace _keys = new(tenant);

    public Task CreateAsync(string sessionId, string caller) => EvaluateAsync(StoreScript.SessionCreate, sessionId, caller);

    /// <summary>Whether the session is this caller's; if so it lives its full time again.</summary>
    public Task<bool> TouchAsync(string sessionId, string caller) => EvaluateAsync(StoreScript.SessionTouch, sessionId, caller);

    public Task<bool> DeleteAsync(string sessionId, string caller) => EvaluateAsync(StoreScript.SessionDelete, sessionId, caller);

    private async Task<bool> EvaluateAsync(string script, string sessionId, string caller)
    {
        var hash = TenantKeyspace.Hash(sessionId);
        var result = await redis.EvaluateAsync(
            script, [_keys.Session(hash), _keys.Sessions], [hash, caller, (long)Lifetime.TotalMilliseconds, redis.ClockOffset]).ConfigureAwait(false);
        return (int)result == 1;
    }
}
