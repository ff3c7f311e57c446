using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Counts the calls of each tenant that this node works on, so that one tenant's slow handlers cannot take up all of it.</summary>
internal sealed class ConcurrentCalls : ITenantChangeListener
{
    private readonly ConcurrentDictionary<TenantId, Counter> _counters = new();

    /// <summary>Begins a call; null where the tenant has as many as it may. The limit is today's: a change counts from the next call on.</summary>
    public CallSlot? TryBegin(TenantModel tenant)
    {
        var counter = _counters.GetOrAdd(tenant.Id, static _ => new());
        var limit = tenant.Config.Limits?.MaxConcurrentCalls ?? TenantLimits.DefaultMaxConcurrentCalls;
        return counter.TryBegin(limit) ? new(counter, limit) : null;
    }

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            _counters.TryRemove(change.TenantId, out _);
        }
    }

    /// <summary>The calls of one tenant that are under way.</summary>
    internal sealed class Counter
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

        public void End() => Interlocked.Decrement(ref _calls);
    }
}

/// <summary>One call's place among those that its tenant may have at once. It is free again after the last that holds it: the request, and each handler, which may outlive that.</summary>
internal sealed class CallSlot(ConcurrentCalls.Counter counter, int limit) : IDisposable
{
    // The request's own hold counts as one.
    private int _holds = 1;

    /// <summary>Holds the place for a handler. One that begins when all others have ended, in the background, needs a place anew.</summary>
    /// <returns>False when it needs one and there is none.</returns>
    public bool TryHold()
    {
        while (true)
        {
            var holds = Volatile.Read(ref _holds);
            if (holds == 0 && !counter.TryBegin(limit))
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _holds, holds + 1, holds) == holds)
            {
                return true;
            }

            if (holds == 0)
            {
                counter.End();
            }
        }
    }

    /// <summary>Ends a hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            counter.End();
        }
    }

    /// <summary>Ends the request's hold.</summary>
    public void Dispose() => Release();
}
