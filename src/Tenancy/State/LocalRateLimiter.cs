using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Stands in for the rate limits of the store while it is away: the same rates, counted by this node alone and in memory.</summary>
internal sealed class LocalRateLimiter(TimeProvider time)
{
    // What is beyond, and full again, is forgotten: it would not be told from what is new.
    private const int SweepSize = 10_000;

    private readonly Dictionary<(TenantId Tenant, string Policy, string Subject), (long Arrival, long Interval)> _arrivals = new();
    private readonly Lock _lock = new();
    private int _nextSweep = SweepSize;

    /// <summary>How many subjects are remembered.</summary>
    internal int Count => _arrivals.Count;

    /// <summary>Counts a request against all limits or, where one refuses, none.</summary>
    public RateLimitResult Acquire(TenantId tenant, ReadOnlySpan<RateLimit> limits)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow().Ticks / TimeSpan.TicksPerMicrosecond;
            RateLimitResult? tightest = null;
            RateLimitResult? refused = null;
            Span<long> arrivals = stackalloc long[limits.Length];
            for (var i = 0; i < limits.Length; i++)
            {
                var (last, span) = (Last(tenant, limits[i], now), limits[i].Interval * limits[i].PerMinute);
                arrivals[i] = last + limits[i].Interval;
                var spare = now + span - arrivals[i];
                if (spare < 0)
                {
                    var result = new RateLimitResult(false, limits[i], 0, Time(-spare), Time(last - now));
                    refused = refused is null || result.RetryAfter > refused.RetryAfter ? result : refused;
                }
                else
                {
                    var result = new RateLimitResult(true, limits[i], (int)(spare / limits[i].Interval), TimeSpan.Zero, Time(arrivals[i] - now));
                    tightest = tightest is null || result.Remaining < tightest.Remaining ? result : tightest;
                }
            }

            if (refused is not null)
            {
                return refused;
            }

            for (var i = 0; i < limits.Length; i++)
            {
                _arrivals[Key(tenant, limits[i])] = (arrivals[i], limits[i].Interval);
            }

            Sweep(now);
            return tightest!;
        }
    }

    /// <summary>Takes back that a request was counted.</summary>
    public void GiveBack(TenantId tenant, ReadOnlySpan<RateLimit> limits)
    {
        lock (_lock)
        {
            foreach (var limit in limits)
            {
                if (_arrivals.TryGetValue(Key(tenant, limit), out var last))
                {
                    _arrivals[Key(tenant, limit)] = (last.Arrival - last.Interval, last.Interval);
                }
            }
        }
    }

    /// <summary>How long a request has to wait before a limit lets it through; zero where it need not. Nothing is counted.</summary>
    public TimeSpan Peek(TenantId tenant, RateLimit limit)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow().Ticks / TimeSpan.TicksPerMicrosecond;
            return Time(Math.Max(0, Last(tenant, limit, now) + limit.Interval - now - (limit.Interval * limit.PerMinute)));
        }
    }

    // What was used of a limit that has changed since is as many requests of the new one.
    private long Last(TenantId tenant, RateLimit limit, long now) => _arrivals.TryGetValue(Key(tenant, limit), out var last)
        ? Math.Clamp(now + (long)((double)(last.Arrival - now) * limit.Interval / last.Interval), now, now + (limit.Interval * limit.PerMinute))
        : now;

    private void Sweep(long now)
    {
        if (_arrivals.Count < _nextSweep)
        {
            return;
        }

        foreach (var (key, last) in _arrivals)
        {
            if (last.Arrival <= now)
            {
                _arrivals.Remove(key);
            }
        }

        // Twice what is in use, so that a flood of subjects is not swept at each request.
        _nextSweep = Math.Max(SweepSize, _arrivals.Count * 2);
    }

    private static (TenantId Tenant, string Policy, string Subject) Key(TenantId tenant, RateLimit limit) => (tenant, limit.Policy, limit.Subject);

    private static TimeSpan Time(long microseconds) => TimeSpan.FromMicroseconds(microseconds);
}
