namespace Tenancy.State;

/// <summary>
/// What this node holds of one subject's limit: requests that the store lent it, which it lets through without asking. Whatever it holds
/// counts as used in the store, so that all nodes together never let more through than the limit.
/// </summary>
internal sealed class LimitSlice(TimeSpan now)
{
    /// <summary>
    /// Below this many a minute nothing is lent: each request is counted in the store, where it counts for all nodes at once.
    /// </summary>
    public const int SmallLimit = 120;

    /// <summary>
    /// How long what was lent may be spent; less than the second that the store keeps it for, as clocks and threads are not exact.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(900);

    // A slice follows what was needed lately; a node that was idle, or is new, comes to a full one in a few steps.
    private const int MaxGrowth = 8;

    private readonly Lock _lock = new();

    // What was lent, what is left of it, and until when it may be spent.
    private RateLimit _limit;
    private int _lent;
    private int _rest;
    private long _lentIn;
    private TimeSpan _end;
    private bool _isLocal;

    // What the store said last.
    private int _left;
    private TimeSpan _reset;

    // How much is needed: the requests since the store was asked last, and what it let through and lent then.
    private TimeSpan _askedAt = now;
    private int _needed;
    private int _size;
    private bool _isGrowing;

    /// <summary>The requests that wait for a trip to the store.</summary>
    public LimitQueue Queue { get; } = new();

    /// <summary>Whether nothing is lost when it is forgotten.</summary>
    public bool IsOver(TimeSpan now)
    {
        lock (_lock)
        {
            return !_isGrowing && _askedAt + Lifetime <= now;
        }
    }

    /// <summary>Lets a request through, if there is something at hand.</summary>
    public bool TryTake(in RateLimit limit, TimeSpan now, out LimitRest rest)
    {
        lock (_lock)
        {
            if (_rest == 0 || !IsGood(limit, now))
            {
                rest = default;
                return false;
            }

            _rest--;
            _needed++;
            rest = Rest(now);
            return true;
        }
    }

    /// <summary>Takes back that a request was let through.</summary>
    /// <returns>
    /// False where there is no room: what is held has to be covered by what was lent, or it would not count as used in the store.
    /// </returns>
    public bool TryGiveBack(in RateLimit limit, TimeSpan now)
    {
        lock (_lock)
        {
            if (_rest == _lent || !IsGood(limit, now))
            {
                return false;
            }

            _rest++;
            _needed = Math.Max(0, _needed - 1);
            return true;
        }
    }

    /// <summary>Takes what is at hand for requests that wait, and says what the store is to be asked for.</summary>
    public LimitAsk Reserve(in RateLimit limit, int requests, bool isLocal, TimeSpan now)
    {
        lock (_lock)
        {
            _needed += requests;
            if (IsGood(limit, now) && _rest >= requests)
            {
                _rest -= requests;
                return new(limit, requests, 0, 0, 0);
            }

            var (held, returned) = (_rest, 0);
            if (!IsGood(limit, now))
            {
                // What was lent too long ago goes back to where it came from. What was lent under another limit may be more than is counted
                // as used now.
                (held, returned, _lent) = (0, _isLocal == isLocal && _limit.PerMinute == limit.PerMinute ? _rest : 0, 0);
            }

            _rest = 0;
            var wanted = _isGrowing ? 0 : Wanted(limit, now);
            _isGrowing |= wanted > 0;
            return new(limit, held, wanted, returned, _lentIn);
        }
    }

    /// <summary>Undoes a <see cref="Reserve"/> whose trip came to nothing.</summary>
    public void Cancel(in LimitAsk ask, TimeSpan now) => Settle(ask, null, 0, isLocal: false, 0, now, now);

    /// <summary>Takes in what the store answered.</summary>
    /// <param name="ask">What it was asked for.</param>
    /// <param name="grant">What it gave; null where it did not have to be asked for this limit.</param>
    /// <param name="through">The requests that go on.</param>
    /// <param name="isLocal">Whether it was not the store that was asked, but its stand-in.</param>
    /// <param name="time">The store's time, in microseconds.</param>
    /// <param name="askedAt">This node's time when the store was asked: what it lent lives from then on.</param>
    /// <param name="now">This node's time.</param>
    public LimitRest Settle(in LimitAsk ask, LimitGrant? grant, int through, bool isLocal, long time, TimeSpan askedAt, TimeSpan now)
    {
        lock (_lock)
        {
            _isGrowing &= ask.Wanted == 0;
            if (IsGood(ask.Limit, now))
            {
                _rest = Math.Min(_lent, _rest + Math.Max(0, ask.Held - through));
            }

            if (grant is { } given)
            {
                (_left, _reset) = (given.Left, now + given.Reset);
                (_askedAt, _needed, _size) = (askedAt, 0, through + given.Lent);
                Keep(ask.Limit, given.Lent, isLocal, time / TimeSpan.MicrosecondsPerSecond, askedAt, now);
            }

            return Rest(now);
        }
    }

    private void Keep(in RateLimit limit, int lent, bool isLocal, long lentIn, TimeSpan askedAt, TimeSpan now)
    {
        if (lent == 0)
        {
            return;
        }

        // While the store was asked, a request may have been given back. Of another second it would have to be returned apart from the
        // others.
        var isSame = IsGood(limit, now) && _isLocal == isLocal && _lentIn == lentIn;
        (_rest, _lent) = isSame ? (_rest + lent, _lent + lent) : (lent, lent);
        (_limit, _isLocal, _lentIn, _end) = (limit, isLocal, lentIn, askedAt + Lifetime);
    }

    private bool IsGood(in RateLimit limit, TimeSpan now) => now < _end && _limit.PerMinute == limit.PerMinute;

    private int Wanted(in RateLimit limit, TimeSpan now)
    {
        if (limit.PerMinute < SmallLimit || _size == 0)
        {
            return 0;
        }

        var perLifetime = _needed * Lifetime.TotalMicroseconds / Math.Max(1, (now - _askedAt).TotalMicroseconds);
        return (int)Math.Min(perLifetime, (double)MaxGrowth * _size);
    }

    // Requests at hand count as used in the store. If they are not spent, the limit is full again that much sooner.
    private LimitRest Rest(TimeSpan now)
    {
        var reset = _reset - now - TimeSpan.FromMicroseconds(_rest == 0 ? 0 : _rest * _limit.Interval);
        return new(_rest + _left, reset > TimeSpan.Zero ? reset : TimeSpan.Zero);
    }
}

/// <summary>What is left of a limit, as far as this node knows.</summary>
/// <param name="Left">The requests that may come at once.</param>
/// <param name="Reset">When all of the limit is there again.</param>
internal readonly record struct LimitRest(int Left, TimeSpan Reset);
