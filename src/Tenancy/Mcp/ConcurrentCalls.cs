using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Counts the calls of each tenant that this node works on, so that one tenant's slow handlers cannot take up all of it.</summary>
internal sealed class ConcurrentCalls : ITenantChangeListener
{
    private readonly ConcurrentDictionary<TenantId, Counter> _counters = new();

    /// <summary>Begins a call; null where the tenant has as many as it may. The limit is today's: a change counts from the next call on.</summary>
    public IDisposable? TryBegin(TenantModel tenant)
    {
        var counter = _counters.GetOrAdd(tenant.Id, static _ => new());
        return counter.TryBegin(tenant.Config.Limits?.MaxConcurrentCalls ?? TenantLimits.DefaultMaxConcurrentCalls) ? counter : null;
    }

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            _counters.TryRemove(change.TenantId, out _);
        }
    }

    private sealed class Counter : IDisposable
    {
        private int _calls;

        public bool TryBegin(int limit)
        {
            if (Interlocked.Increment(ref _calls) <= limit)
            {
                return true;
            }

            Interlocked.Decrement(ref _calls);
            return false;
        }

        // Ends one call; the counter itself lives on.
        public void Dispose() => Interlocked.Decrement(ref _calls);
    }
}
