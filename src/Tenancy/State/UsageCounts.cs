using System.Collections.Concurrent;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Counts in memory what calls take, until it is written: each second, and when the server stops.</summary>
/// <remarks>No call waits for another here, and one that counts where others counted before it allocates nothing.</remarks>
internal sealed class UsageCounts(TimeProvider time)
{
    // A counter that nobody used for so long is let go of.
    private const int MaxIdle = 60;

    private readonly ConcurrentDictionary<UsageKey, Counter> _counters = new();

    /// <summary>Gets how many counters there are.</summary>
    public int Count => _counters.Count;

    /// <summary>Counts a call.</summary>
    public void Add(TenantId tenant, long generation, UsageRow call)
    {
        var key = new UsageKey(new(tenant, generation, UsageDay.Of(time.GetUtcNow())), call.Tool, call.Outcome);
        while (!_counters.GetOrAdd(key, static _ => new()).TryAdd(call.Micros, call.Bytes, call.Units))
        {
            // It was let go of a moment ago, and is about to leave the table.
        }
    }

    /// <summary>Takes out what was counted since this was called last.</summary>
    /// <param name="except">What is left where it is; null for nothing.</param>
    public Dictionary<UsagePlace, List<UsageRow>> Take(Func<UsagePlace, bool>? except = null)
    {
        var taken = new Dictionary<UsagePlace, List<UsageRow>>();
        foreach (var (key, counter) in _counters)
        {
            if (except?.Invoke(key.Place) is true)
            {
                continue;
            }

            var row = counter.Take(key);
            if (row is null && counter.Idle > MaxIdle && counter.TryClose())
            {
                // What came between the two.
                row = counter.Take(key);
                _counters.TryRemove(new(key, counter));
            }

            if (row is { } found)
            {
                if (!taken.TryGetValue(key.Place, out var rows))
                {
                    taken[key.Place] = rows = [];
                }

                rows.Add(found);
            }
        }

        return taken;
    }

    private readonly record struct UsageKey(UsagePlace Place, string Tool, string Outcome);

    private sealed class Counter
    {
        private int _inside;
        private long _calls;
        private long _micros;
        private long _bytes;
        private long _units;

        /// <summary>Gets how often nothing was taken in a row.</summary>
        public int Idle { get; private set; }

        public bool TryAdd(long micros, long bytes, long units)
        {
            // A closed one stays below zero, whoever still comes.
            if (Interlocked.Increment(ref _inside) < 0)
            {
                return false;
            }

            Interlocked.Increment(ref _calls);
            Interlocked.Add(ref _micros, micros);
            Interlocked.Add(ref _bytes, bytes);
            Interlocked.Add(ref _units, units);
            Interlocked.Decrement(ref _inside);
            return true;
        }

        public UsageRow? Take(UsageKey key)
        {
            var row = new UsageRow(
                key.Tool,
                key.Outcome,
                Interlocked.Exchange(ref _calls, 0),
                Interlocked.Exchange(ref _micros, 0),
                Interlocked.Exchange(ref _bytes, 0),
                Interlocked.Exchange(ref _units, 0)
            );
            var any = (row.Calls | row.Micros | row.Bytes | row.Units) != 0;
            Idle = any ? 0 : Idle + 1;
            return any ? row : null;
        }

        /// <summary>Closes it, unless somebody counts in it right now.</summary>
        public bool TryClose() => Interlocked.CompareExchange(ref _inside, int.MinValue, 0) == 0;
    }
}

/// <summary>Whose usage it is, and of which day.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Generation">Its generation: nothing is counted for the next tenant with its id.</param>
/// <param name="Day">The day, as <c>yyyymmdd</c>.</param>
internal readonly record struct UsagePlace(TenantId Tenant, long Generation, int Day);
