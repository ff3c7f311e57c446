namespace Tenancy.State;

/// <summary>
/// Requests with the same limits that need a trip to the store. While one is under way those that come wait, and the next one takes all of
/// them along: each is decided at the latest by the trip after the one that it found under way.
/// </summary>
internal sealed class LimitQueue
{
    private readonly Lock _lock = new();
    private List<WaitingRequest> _waiting = [];
    private bool _isUnderWay;

    /// <summary>Lets a request wait.</summary>
    /// <returns>True where it has to make the trip itself; then <see cref="Leave"/> has to be called after it.</returns>
    public bool Enter(WaitingRequest request)
    {
        lock (_lock)
        {
            _waiting.Add(request);
            return !_isUnderWay && (_isUnderWay = true);
        }
    }

    /// <summary>
    /// Those that the trip takes along which is about to begin. Where a limit or the tenant's generation has just changed, those with the
    /// other one go with the next.
    /// </summary>
    public List<WaitingRequest> Take()
    {
        lock (_lock)
        {
            var first = _waiting[0];
            var same = _waiting.FindAll(request =>
                request.Generation == first.Generation && request.Limits.AsSpan().SequenceEqual(first.Limits)
            );
            _waiting = same.Count == _waiting.Count ? [] : [.. _waiting.Except(same)];
            return same;
        }
    }

    /// <summary>Ends a trip. Of those that came meanwhile, the first makes the next one.</summary>
    public void Leave()
    {
        WaitingRequest next;
        lock (_lock)
        {
            if (_waiting is not [var first, ..])
            {
                _isUnderWay = false;
                return;
            }

            next = first;
        }

        next.Lead();
    }
}

/// <summary>A request that waits for a trip to the store.</summary>
/// <param name="generation">The generation of its tenant.</param>
/// <param name="limits">The limits that it counts against.</param>
/// <param name="session">The session that is to be looked up; null where none is named, or it is known already.</param>
/// <param name="isOwnSession">What is known of its session.</param>
internal sealed class WaitingRequest(long generation, RateLimit[] limits, SessionUse? session, bool? isOwnSession)
{
    private readonly TaskCompletionSource<bool> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RateLimitResult _result;
    private Exception? _failure;

    public long Generation => generation;

    public RateLimit[] Limits => limits;

    public SessionUse? Session => session;

    /// <summary>What is known of its session without a trip.</summary>
    public bool? IsOwnSession => isOwnSession;

    /// <summary>Whether it has to make a trip itself; else it is decided.</summary>
    public Task<bool> Turn => _turn.Task;

    /// <summary>What was decided.</summary>
    /// <exception cref="Registry.StoreUnavailableException">It names a session, and the store is away.</exception>
    public RateLimitResult Result
    {
        get
        {
            if (_failure is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
            }

            return _result;
        }
    }

    public void Lead() => _turn.TrySetResult(true);

    public void Decide(RateLimitResult result)
    {
        _result = result;
        _turn.TrySetResult(false);
    }

    public void Fail(Exception exception)
    {
        _failure = exception;
        _turn.TrySetResult(false);
    }
}

/// <summary>A session that a request names.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Owner">Whose it has to be.</param>
internal readonly record struct SessionUse(string Id, SessionOwner Owner);
