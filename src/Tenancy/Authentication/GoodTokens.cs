using Tenancy.Configuration;

namespace Tenancy.Authentication;

/// <summary>The opaque tokens that were good lately: an address full of bad ones does not keep their owners out.</summary>
internal sealed class GoodTokens(TimeProvider time)
{
    private const int Capacity = 20_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private readonly RecentTokens<bool> _tokens = new(Capacity, time);
    private readonly TimeProvider _time = time;

    public bool WasGood(TenantId tenant, string token) => _tokens.TryGet(token, out _, tenant.Value);

    public void Add(TenantId tenant, string token)
    {
        if (!WasGood(tenant, token))
        {
            _tokens.Add(token, true, _time.GetUtcNow() + Lifetime, tenant.Value);
        }
    }

    public void Remove(TenantId tenant, string token) => _tokens.Add(token, false, DateTimeOffset.MinValue, tenant.Value);
}
