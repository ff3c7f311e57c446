using System.Diagnostics.CodeAnalysis;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>The principals whose tokens were shown a moment ago, so that not each call asks the store.</summary>
/// <remarks>
/// A principal that is revoked on another node is refused here when that node has said so, or a second later. A change of the tenant
/// forgets all that is cached for it.
/// </remarks>
internal sealed class PrincipalCache
{
    private const int Capacity = 20_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private readonly RedisConnection _redis;
    private readonly TimeProvider _time;
    private readonly RecentTokens<Finding> _found;
    private int _generation;

    public PrincipalCache(RedisConnection redis, TimeProvider time) => (_redis, _time, _found) = (redis, time, new(Capacity, time));

    /// <summary>Finds the principal that a token of the tenant belongs to.</summary>
    public async ValueTask<KnownPrincipal?> FindAsync(TenantModel tenant, string token)
    {
        // Read before the store is asked: a revocation that comes meanwhile changes the number, so that an answer from before it is not
        // used.
        var generation = Volatile.Read(ref _generation);
        if (TryGet(tenant, token, out var known))
        {
            return known;
        }

        if (
            await new PrincipalStore(_redis, tenant.Id, tenant.Generation).FindAsync(token) is not { } principal
            || principal.ExpiresAt <= _time.GetUtcNow()
        )
        {
            return null;
        }

        known = KnownPrincipal.Of(tenant.Id, new(principal.Id) { Name = principal.Name, Scopes = principal.Scopes });
        var until = _time.GetUtcNow() + Lifetime;
        _found.Add(
            token,
            new(generation, tenant.Version, known),
            principal.ExpiresAt < until ? principal.ExpiresAt.Value : until,
            tenant.Id.Value
        );
        return known;
    }

    /// <summary>Finds a principal without asking the store.</summary>
    public bool TryGet(TenantModel tenant, ReadOnlySpan<char> token, [NotNullWhen(true)] out KnownPrincipal? principal)
    {
        principal =
            _found.TryGet(token, out var found, tenant.Id.Value)
            && found.Generation == Volatile.Read(ref _generation)
            && found.Version == tenant.Version
                ? found.Principal
                : null;
        return principal is not null;
    }

    /// <summary>
    /// Forgets all principals, because one was revoked and must be refused at once. It costs no more than a second of asking the store.
    /// </summary>
    public void Forget() => Interlocked.Increment(ref _generation);

    private readonly record struct Finding(int Generation, long Version, KnownPrincipal Principal);
}
