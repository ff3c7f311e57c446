namespace Tenancy.State;

/// <summary>
/// Requests with the same limits on their way to the store, or to its stand-in: what the node's slices have for them, and what is asked
/// for.
/// </summary>
internal sealed class LimitTrip
{
    private readonly LimitSlice[] _slices;
    private readonly LimitAsk[] _reserved;
    private readonly int _requests;
    private readonly bool _isLocal;

    public LimitTrip(RateLimit[] limits, LimitSlice[] slices, int requests, bool isLocal, TimeSpan now)
    {
        (_slices, _requests, _isLocal, AskedAt) = (slices, requests, isLocal, now);
        _reserved = new LimitAsk[limits.Length];
        for (var i = 0; i < limits.Length; i++)
        {
            _reserved[i] = slices[i].Reserve(limits[i], requests, isLocal, now);
        }

        Asks = Array.FindAll(_reserved, IsAsked);
    }

    /// <summary>What is asked for: the limits of which the node has too little at hand.</summary>
    public LimitAsk[] Asks { get; }

    /// <summary>When it began.</summary>
    public TimeSpan AskedAt { get; }

    /// <summary>The answer where nothing has to be asked.</summary>
    public LimitAnswer Granted => new(_requests, 0, -1, TimeSpan.Zero, TimeSpan.Zero, []);

    /// <summary>How many of the requests go on.</summary>
    public int Through { get; private set; }

    /// <summary>What those are told.</summary>
    public RateLimitResult Allowed { get; private set; }

    /// <summary>What the others are told.</summary>
    public RateLimitResult Refused { get; private set; }

    /// <summary>Puts back what was taken from the slices: nobody answered.</summary>
    public void Cancel(TimeSpan now)
    {
        for (var i = 0; i < _slices.Length; i++)
        {
            _slices[i].Cancel(_reserved[i], now);
        }
    }

    /// <summary>Takes in an answer.</summary>
    public void Settle(LimitAnswer answer, TimeSpan now)
    {
        Through = answer.Through;
        Allowed = new(true, default, int.MaxValue, TimeSpan.Zero, TimeSpan.Zero);
        var next = 0;
        for (var i = 0; i < _slices.Length; i++)
        {
            LimitGrant? grant = IsAsked(_reserved[i]) ? answer.Grants[next++] : null;
            var rest = _slices[i].Settle(_reserved[i], grant, answer.Through, _isLocal, answer.Time, AskedAt, now);
            Allowed = Allowed.With(_reserved[i].Limit, rest);
        }

        if (answer.Refusing >= 0)
        {
            var limit = Asks[answer.Refusing].Limit;
            Refused = new(false, limit, 0, answer.RetryAfter, answer.Reset) { TenantSpent = limit.IsTenants ? 100 : 0 };
        }
    }

    private bool IsAsked(LimitAsk ask) => ask.Held < _requests;
}
