using Microsoft.Extensions.Caching.Memory;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>The principals whose tokens were shown a moment ago, so that not each call asks the store.</summary>
/// <remarks>A principal that is revoked elsewhere is refused here a second later. A change of the tenant forgets all that is cached for it.</remarks>
internal sealed class PrincipalCache(RedisConnection redis, IMemoryCache cache, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private int _generation;

    /// <summary>Finds the principal that a token of the tenant belongs to.</summary>
    public async ValueTask<StoredPrincipal?> FindAsync(TenantModel tenant, string token)
    {
        // Read first: what the store says from here on may be older than a revocation.
        var key = new Key(Volatile.Read(ref _generation), tenant.Id.Value, tenant.Version, TenantKeyspace.Hash(token));
        if (!cache.TryGetValue(key, out StoredPrincipal? principal))
        {
            principal = await new PrincipalStore(redis, tenant.Id).FindAsync(token);
            if (principal is not null)
            {
                cache.Set(key, principal, Lifetime);
            }
        }

        return principal?.ExpiresAt <= time.GetUtcNow() ? null : principal;
    }

    /// <summary>Forgets everybody: somebody was revoked, and must be refused at once. All that it costs is a second of asking the store.</summary>
    public void Forget() => Interlocked.Increment(ref _generation);

    private sealed record Key(int Generation, string Tenant, long Version, string TokenHash);
}
