using System.Collections.Concurrent;

namespace Tenancy.Audit;

/// <summary>Entries of what is no change of the store, such as a scope that was opened, until they are written: within a second.</summary>
internal sealed class AuditQueue(TimeProvider time)
{
    private const int MaxEntries = 10_000;
    private readonly ConcurrentQueue<(AuditEntry Entry, DateTimeOffset At)> _entries = new();
    private long _dropped;

    /// <summary>Gets whether nothing waits.</summary>
    public bool IsEmpty => _entries.IsEmpty;

    public void Add(AuditEntry entry)
    {
        if (_entries.Count < MaxEntries)
        {
            _entries.Enqueue((entry, time.GetUtcNow()));
        }
        else
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Takes some entries out, the earliest first.</summary>
    public IReadOnlyList<(AuditEntry Entry, DateTimeOffset At)> Take(int most)
    {
        var taken = new List<(AuditEntry, DateTimeOffset)>();
        while (taken.Count < most && _entries.TryDequeue(out var entry))
        {
            taken.Add(entry);
        }

        return taken;
    }

    /// <summary>How many entries found no place since this was asked last.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);
}
