using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// Stands in for the rate limits of the store while it is away: the same rates, counted by this node alone and in memory. It answers as the
/// store does, so that all else goes on as usual.
/// </summary>
internal sealed class LocalRateLimiter(TimeProvider time)
{
    // Beyond this many, subjects whose limit is full again are forgotten: they are no different from new ones.
    private const int SweepSize = 10_000;

    private readonly Dictionary<LimitSubject, LimitUse> _uses = [];
    private readonly Lock _lock = new();
    private int _nextSweep = SweepSize;

    /// <summary>How many subjects are remembered.</summary>
    internal int Count => _uses.Count;

    private long Now => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Counts a request against all limits or, where one refuses, none.</summary>
    public RateLimitResult Acquire(TenantId tenant, ReadOnlySpan<RateLimit> limits)
    {
        Span<LimitAsk> asks = new LimitAsk[limits.Length];
        for (var i = 0; i < limits.Length; i++)
        {
            asks[i] = new(limits[i], 0, 0, 0, 0);
        }

        var answer = Take(tenant, 1, asks);
        if (answer.Refusing >= 0)
        {
            return new(false, limits[answer.Refusing], 0, answer.RetryAfter, answer.Reset);
        }

        var tightest = answer.Grants.Index().MinBy(grant => grant.Item.Left);
        return new(true, limits[tightest.Index], tightest.Item.Left, TimeSpan.Zero, tightest.Item.Reset);
    }

    /// <summary>Takes back that a request was counted.</summary>
    public void GiveBack(TenantId tenant, ReadOnlySpan<RateLimit> limits)
    {
        foreach (var limit in limits)
        {
            Take(tenant, 0, [new(limit, 0, 0, 1, 0)]);
        }
    }

    /// <summary>How long a request has to wait before a limit lets it through; zero where it need not. Nothing is counted.</summary>
    public TimeSpan Peek(TenantId tenant, RateLimit limit)
    {
        lock (_lock)
        {
            var now = Now;
            return TimeSpan.FromMicroseconds(Math.Max(0, Wait(Read(tenant, limit, now), now, limit)));
        }
    }

    /// <summary>
    /// Counts requests that have the same limits as far as all of those let them through, and lends and takes back, as rate-limit.lua does.
    /// </summary>
    public LimitAnswer Take(TenantId tenant, int requests, ReadOnlySpan<LimitAsk> asks)
    {
        lock (_lock)
        {
            var now = Now;
            var through = requests;
            var uses = new LimitUse[asks.Length];
            for (var i = 0; i < asks.Length; i++)
            {
                var use = Read(tenant, asks[i].Limit, now);
                uses[i] = asks[i].Returned > 0 ? use.Return(asks[i].Returned, asks[i].LentIn, now) : use;
                through = Math.Min(through, asks[i].Held + uses[i].Left(now, asks[i].Limit));
            }

            var (refusing, wait, reset) = Explain(asks, uses, requests, through, now);
            var grants = new LimitGrant[asks.Length];
            for (var i = 0; i < asks.Length; i++)
            {
                grants[i] = Grant(tenant, asks[i], uses[i], through, isComplete: through == requests, now);
            }

            Sweep(now);
            return new(through, now, refusing, TimeSpan.FromMicroseconds(wait), TimeSpan.FromMicroseconds(reset), grants);
        }
    }

    // Of several limits that refuse, the one that does so for longest.
    private static (int Refusing, long Wait, long Reset) Explain(
        ReadOnlySpan<LimitAsk> asks,
        LimitUse[] uses,
        int requests,
        int through,
        long now
    )
    {
        var (refusing, wait, reset) = (-1, 0L, 0L);
        for (var i = 0; i < asks.Length && through < requests; i++)
        {
            if (asks[i].Held + uses[i].Left(now, asks[i].Limit) > through)
            {
                continue;
            }

            var taken = uses[i].Take(through - asks[i].Held, 0);
            if (Wait(taken, now, asks[i].Limit) is var untilNext && untilNext > wait)
            {
                (refusing, wait, reset) = (i, untilNext, taken.Arrival - now);
            }
        }

        return (refusing, wait, reset);
    }

    private static long Wait(LimitUse use, long now, RateLimit limit) => use.Arrival + limit.Interval - now - limit.Span;

    private LimitGrant Grant(TenantId tenant, LimitAsk ask, LimitUse use, int through, bool isComplete, long now)
    {
        var taken = Math.Max(0, through - ask.Held);
        var left = use.Left(now, ask.Limit) - taken;
        var lent = isComplete && use.Second <= now / TimeSpan.MicrosecondsPerSecond ? LimitUse.Lend(ask.Wanted, left) : 0;
        use = use.Take(taken, lent);
        if (taken + lent + ask.Returned > 0)
        {
            Keep(new(tenant, ask.Limit.Policy, ask.Limit.Subject), use, now);
        }

        return new(lent, left - lent, TimeSpan.FromMicroseconds(use.Arrival - now));
    }

    private void Keep(LimitSubject subject, LimitUse use, long now)
    {
        if (use.End > now)
        {
            _uses[subject] = use;
        }
        else
        {
            _uses.Remove(subject);
        }
    }

    private LimitUse Read(TenantId tenant, RateLimit limit, long now) =>
        _uses.GetValueOrDefault(new(tenant, limit.Policy, limit.Subject)).At(now, limit);

    private void Sweep(long now)
    {
        if (_uses.Count < _nextSweep)
        {
            return;
        }

        foreach (var (subject, use) in _uses)
        {
            if (use.End <= now)
            {
                _uses.Remove(subject);
            }
        }

        // Twice what is in use, so that a flood of subjects is not swept at each request.
        _nextSweep = Math.Max(SweepSize, _uses.Count * 2);
    }
}

/// <summary>Whom a limit counts: a subject within a tenant.</summary>
internal readonly record struct LimitSubject(TenantId Tenant, string Policy, string Subject);
