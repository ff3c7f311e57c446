using System.Collections.Concurrent;
using System.Net;

namespace Tenancy.Audit;

/// <summary>
/// Counts refused requests in memory, by minute, tenant and reason, until they are written: a flood costs no more than a count.
/// </summary>
internal sealed class RefusalCounts(TimeProvider time)
{
    /// <summary>What stands for the tenants of a minute beyond the first thousand pairs of tenant and reason.</summary>
    public const string OtherTenants = "_OTHER";

    private const int MaxSeries = 1000;
    private const int MaxNews = 100;

    // While the store is away. What is older is dropped.
    private const int MaxMinutes = 60;

    // Who found a minute before it was over may still count in it.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<Minute> _over = new();
    private Minute _current = new(0);

    /// <summary>Counts a refused request.</summary>
    /// <param name="reason">The refusal's name.</param>
    /// <param name="status">Its HTTP status.</param>
    /// <param name="tenant">The tenant, where there is one that the caller may know of.</param>
    /// <param name="address">Where the request came from.</param>
    public void Count(string reason, int status, string? tenant, IPAddress? address)
    {
        var minute = time.GetUtcNow().Ticks / TimeSpan.TicksPerMinute;
        var current = Volatile.Read(ref _current);
        if (current.Number < minute)
        {
            current = Begin(current, minute);
        }

        current.Count(reason, status, tenant, address);
    }

    /// <summary>Takes out the counts of minutes that are over.</summary>
    /// <param name="all">Whether the present minute is taken, too, because the server stops.</param>
    public IReadOnlyList<RefusedAccess> Take(bool all)
    {
        var now = time.GetUtcNow();
        var minute = now.Ticks / TimeSpan.TicksPerMinute;
        if (Volatile.Read(ref _current) is var current && (current.Number < minute || all))
        {
            Begin(current, all ? current.Number + 1 : minute);
        }

        var taken = new List<RefusedAccess>();
        while (_over.TryPeek(out var first) && (all || now - first.End >= Grace) && _over.TryDequeue(out var over))
        {
            taken.AddRange(over.List());
        }

        return taken;
    }

    /// <summary>What was counted since this was asked last, of the present minute and those before it: the largest counts.</summary>
    /// <remarks>One caller asks, each second, so that what is told of a flood stays small.</remarks>
    public IReadOnlyList<RefusedCount> TakeNews()
    {
        var now = time.GetUtcNow();
        var news = new Dictionary<(string? Tenant, string Reason), RefusedCount>();
        foreach (var minute in _over)
        {
            if (!minute.IsTold)
            {
                minute.AddNews(news);
                minute.IsTold = now - minute.End >= Grace;
            }
        }

        Volatile.Read(ref _current).AddNews(news);
        return news.Count <= MaxNews ? [.. news.Values] : Shorten(news.Values);
    }

    private static RefusedCount[] Shorten(IEnumerable<RefusedCount> news)
    {
        var largest = news.OrderByDescending(one => one.Count).ToArray();
        return
        [
            .. largest[..MaxNews],
            .. largest[MaxNews..]
                .GroupBy(one => (one.Reason, one.Status))
                .Select(group => new RefusedCount(OtherTenants, group.Key.Reason, group.Key.Status, group.Sum(one => one.Count))),
        ];
    }

    private Minute Begin(Minute before, long number)
    {
        var next = new Minute(number);
        if (Interlocked.CompareExchange(ref _current, next, before) != before)
        {
            return Volatile.Read(ref _current);
        }

        if (before.Any)
        {
            _over.Enqueue(before);
            while (_over.Count > MaxMinutes && _over.TryDequeue(out _)) { }
        }

        return next;
    }

    private sealed class Minute(long number)
    {
        private readonly ConcurrentDictionary<(string? Tenant, string Reason), Series> _series = new();
        private int _count;

        public long Number => number;

        public DateTimeOffset End => new((number + 1) * TimeSpan.TicksPerMinute, TimeSpan.Zero);

        public bool Any => !_series.IsEmpty;

        /// <summary>Gets or sets whether all of it was told, and nothing more comes.</summary>
        public bool IsTold { get; set; }

        public void Count(string reason, int status, string? tenant, IPAddress? address)
        {
            if (!_series.TryGetValue((tenant, reason), out var series))
            {
                var isOther = tenant is not null && Interlocked.Increment(ref _count) > MaxSeries;
                series = _series.GetOrAdd(
                    (isOther ? OtherTenants : tenant, reason),
                    static (_, first) => new(first.status, first.address),
                    (status, address: address?.ToString())
                );
            }

            Interlocked.Increment(ref series.Requests);
        }

        public void AddNews(Dictionary<(string? Tenant, string Reason), RefusedCount> news)
        {
            foreach (var (key, series) in _series)
            {
                var count = Interlocked.Read(ref series.Requests);
                if (count > series.Told)
                {
                    var before = news.GetValueOrDefault(key)?.Count ?? 0;
                    news[key] = new(key.Tenant, key.Reason, series.Status, before + count - series.Told);
                    series.Told = count;
                }
            }
        }

        public IEnumerable<RefusedAccess> List() =>
            _series.Select(one => new RefusedAccess(
                new DateTimeOffset(number * TimeSpan.TicksPerMinute, TimeSpan.Zero),
                one.Key.Reason,
                one.Value.Status,
                one.Key.Tenant,
                Interlocked.Read(ref one.Value.Requests),
                one.Value.FirstAddress
            ));
    }

    private sealed class Series(int status, string? firstAddress)
    {
        public long Requests;

        /// <summary>How many of them were told already. One caller uses it.</summary>
        public long Told { get; set; }

        public int Status => status;

        public string? FirstAddress => firstAddress;
    }
}

/// <summary>The requests that were refused for one reason in one minute, at one node.</summary>
/// <param name="Minute">The minute.</param>
/// <param name="Reason">The refusal's name.</param>
/// <param name="Status">Its HTTP status.</param>
/// <param name="Tenant">The tenant; null where there was none that the caller may know of.</param>
/// <param name="Count">How many there were.</param>
/// <param name="FirstAddress">Where the first of them came from.</param>
internal sealed record RefusedAccess(DateTimeOffset Minute, string Reason, int Status, string? Tenant, long Count, string? FirstAddress);

/// <summary>Requests that were refused for one reason.</summary>
/// <param name="Tenant">The tenant; null where there was none that the caller may know of.</param>
/// <param name="Reason">The refusal's name.</param>
/// <param name="Status">Its HTTP status.</param>
/// <param name="Count">How many there were.</param>
internal sealed record RefusedCount(string? Tenant, string Reason, int Status, long Count);
