using System.Collections.Concurrent;

namespace Tenancy.Diagnostics;

/// <summary>
/// Decides which tenants have metrics of their own. A series costs memory here and at the collector for as long as the process lives, so
/// that the first ones have some, and keep them; all others together are one.
/// </summary>
/// <param name="most">How many tenants have series of their own.</param>
internal sealed class TenantSeries(int most)
{
    /// <summary>What stands for all other tenants. No id looks like it.</summary>
    public const string Other = "_OTHER";

    private readonly ConcurrentDictionary<string, bool> _named = new(StringComparer.Ordinal);
    private readonly Lock _adding = new();
    private volatile bool _isFull = most <= 0;

    /// <summary>The value of the attribute <c>tenancy.tenant</c> for a tenant that there is.</summary>
    public string Of(string tenant) => _named.ContainsKey(tenant) || (!_isFull && TryAdd(tenant)) ? tenant : Other;

    private bool TryAdd(string tenant)
    {
        lock (_adding)
        {
            if (_named.ContainsKey(tenant))
            {
                return true;
            }

            if (_isFull)
            {
                return false;
            }

            _named[tenant] = true;
            _isFull = _named.Count >= most;
            return true;
        }
    }
}
