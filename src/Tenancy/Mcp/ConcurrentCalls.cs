using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>
/// Counts the handlers of each tenant that run on this node, so that one tenant's slow ones cannot take up all of it, and one caller's not
/// all of its tenant's.
/// </summary>
internal sealed class ConcurrentCalls : ITenantChangeListener
{
    private readonly ConcurrentDictionary<TenantId, Places> _places = new();

    /// <summary>
    /// Takes a place for a handler; null where the tenant, or this caller of it, has as many as it may. The limit is today's: a change
    /// counts from the next call on.
    /// </summary>
    public Place? TryTake(TenantModel tenant, CallerIdentity caller)
    {
        var places = _places.GetOrAdd(tenant.Id, static _ => new());
        var most = tenant.Limits.MaxConcurrentCalls;
        return places.TryTake(caller.Value, most, (int)CallerRights.ShareOf(tenant, most)) is { } taken
            ? new(places, caller.Value, taken)
            : null;
    }

    /// <summary>How many handlers of a tenant run on this node now.</summary>
    public int CountOf(TenantId tenant) => _places.GetValueOrDefault(tenant)?.Taken ?? 0;

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            _places.TryRemove(change.TenantId, out _);
        }
    }

    /// <summary>A place that was taken.</summary>
    internal readonly struct Place(Places places, string caller, int taken)
    {
        /// <summary>Gets how many of its tenant were taken when this one was, this one included.</summary>
        public int Taken => taken;

        public void GiveBack() => places.GiveBack(caller);
    }

    /// <summary>The places of one tenant.</summary>
    internal sealed class Places
    {
        // Two counts change together. It is held for nanoseconds.
        private readonly Lock _lock = new();
        private readonly Dictionary<string, int> _byCaller = new(StringComparer.Ordinal);
        private int _taken;

        public int Taken => Volatile.Read(ref _taken);

        public int? TryTake(string caller, int most, int mostOfCaller)
        {
            lock (_lock)
            {
                if (_taken >= most || _byCaller.GetValueOrDefault(caller) >= mostOfCaller)
                {
                    return null;
                }

                CollectionsMarshal.GetValueRefOrAddDefault(_byCaller, caller, out _)++;
                return ++_taken;
            }
        }

        public void GiveBack(string caller)
        {
            lock (_lock)
            {
                _taken--;
                if (--CollectionsMarshal.GetValueRefOrAddDefault(_byCaller, caller, out _) == 0)
                {
                    _byCaller.Remove(caller);
                }
            }
        }
    }
}
