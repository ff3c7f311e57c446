using Microsoft.Extensions.Caching.Memory;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>The principals whose tokens were shown a moment ago, so that not each call asks the store.</summary>
/// <remarks>A principal that is revoked elsewhere is refused here a second later. A change of the tenant forgets all that is cached for it.</remarks>
internal sealed class PrincipalCache(RedisConnection redis, IMemoryCache cache)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    /// <summary>Finds the principal that a token of the tenant belongs to.</summary>
    public async ValueTask<StoredPrincipal?> FindAsync(TenantModel tenant, string token)
    {
        var key = new Key(tenant.Id.Value, tenant.Version, TenantKeyspace.Hash(token));
        if (cache.TryGetValue(key, out StoredPrincipal? principal))
        {
            return principal;
        }

        principal = await new PrincipalStore(redis, tenant.Id).FindAsync(token);
        return principal is null ? null : cache.Set(key, principal, Lifetime);
    }

    private sealed record Key(string Tenant, long Version, string TokenHash);
}
