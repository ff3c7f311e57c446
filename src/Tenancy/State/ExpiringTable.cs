using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Tenancy.State;

/// <summary>What a node knows for a moment, by keys that come from outside: what is over is forgotten before it piles up.</summary>
/// <param name="sweepSize">The size from which on the table is swept.</param>
/// <param name="isOver">Whether nothing is lost when an entry is forgotten.</param>
internal sealed class ExpiringTable<TKey, TValue>(int sweepSize, Func<TValue, TimeSpan, bool> isOver)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, TValue> _entries = new();
    private readonly Lock _sweeping = new();
    private readonly int _sweepSize = sweepSize;
    private int _count;
    private int _nextSweep = sweepSize;

    /// <summary>How many entries there are.</summary>
    public int Count => Volatile.Read(ref _count);

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value) => _entries.TryGetValue(key, out value);

    public TValue GetOrAdd(TKey key, TValue value, TimeSpan now)
    {
        if (!_entries.TryAdd(key, value))
        {
            return _entries.TryGetValue(key, out var present) ? present : value;
        }

        Added(now);
        return value;
    }

    public void Set(TKey key, TValue value, TimeSpan now)
    {
        while (!_entries.TryAdd(key, value))
        {
            if (_entries.TryGetValue(key, out var present) && _entries.TryUpdate(key, value, present))
            {
                return;
            }
        }

        Added(now);
    }

    public void Remove(TKey key)
    {
        if (_entries.TryRemove(key, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }

    public void RemoveWhere(Func<TKey, TValue, bool> matches)
    {
        foreach (var (key, value) in _entries)
        {
            if (matches(key, value) && _entries.TryRemove(KeyValuePair.Create(key, value)))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }

    private void Added(TimeSpan now)
    {
        if (Interlocked.Increment(ref _count) < Volatile.Read(ref _nextSweep) || !_sweeping.TryEnter())
        {
            return;
        }

        try
        {
            RemoveWhere((_, value) => isOver(value, now));

            // Twice what is in use, so that a flood of keys is not swept at each request.
            Volatile.Write(ref _nextSweep, Math.Max(_sweepSize, Count * 2));
        }
        finally
        {
            _sweeping.Exit();
        }
    }
}
