using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Counts the handlers of each tenant that run on this node, so that one tenant's slow ones cannot take up all of it.</summary>
internal sealed class ConcurrentCalls : ITenantChangeListener
{
    private readonly ConcurrentDictionary<TenantId, Places> _places = new();

    /// <summary>
    /// Takes a place for a handler; null where the tenant has as many as it may. The limit is today's: a change counts from the next call
    /// on.
    /// </summary>
    public Places? TryTake(TenantModel tenant)
    {
        var places = _places.GetOrAdd(tenant.Id, static _ => new());
        return places.TryTake(tenant.Config.Limits?.MaxConcurrentCalls ?? TenantLimits.DefaultMaxConcurrentCalls) ? places : null;
    }

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            _places.TryRemove(change.TenantId, out _);
        }
    }

    /// <summary>The places of one tenant.</summary>
    internal sealed class Places
    {
        private int _taken;

        public bool TryTake(int limit)
        {
            if (Interlocked.Increment(ref _taken) <= limit)
            {
                return true;
            }

            GiveBack();
            return false;
        }

        public void GiveBack() => Interlocked.Decrement(ref _taken);
    }
}
