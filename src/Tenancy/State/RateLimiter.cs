using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// The rate limits of all tenants. They are given at each call, so that a change counts from the next call on. Most requests are let
/// through by what the store has lent this node for a second, and make no trip to it.
/// </summary>
/// <remarks>
/// <para>
/// While the store answers, all nodes together let no more through than a limit allows, however a burst is spread: <see cref="LimitUse"/>
/// says why. What a
/// node holds is missing to the others for up to two seconds, so that these may be refused before all of a limit is spent; where little is
/// left, or the limit
/// is below <see cref="LimitSlice.SmallLimit"/>, nothing is lent and each request is counted in the store.
/// </para>
/// <para>
/// While the store is away each node allows the rate by itself, and so does one that has not heard yet that a tenant is deleted: nothing is
/// counted in the store for a generation that has ended.
/// </para>
/// </remarks>
internal sealed class RateLimiter(RedisConnection redis, LocalRateLimiter local, TouchedSessions sessions, TimeProvider time)
{
    private readonly ExpiringTable<LimitSubject, LimitSlice> _slices = new(sweepSize: 10_000, static (slice, now) => slice.IsOver(now));
    private readonly LimitScript _script = new(redis);

    /// <summary>How many subjects of limits are remembered.</summary>
    internal int Count => _slices.Count;

    private TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>Counts a request against all limits or, where one refuses, none.</summary>
    public ValueTask<RateLimitResult> AcquireAsync(TenantId tenant, long generation, params ReadOnlySpan<RateLimit> limits) =>
        TryTake(tenant, limits, Now, out var result)
            ? new(Note(tenant, result))
            : new(WaitAsync(tenant, new(generation, limits.ToArray(), null, null)));

    /// <summary>
    /// Counts a request, and makes its session live its full time again where the request may go on and the session is the caller's, if
    /// that was not done within the last second.
    /// </summary>
    /// <exception cref="StoreUnavailableException">
    /// The store is away, and with it all sessions that are not known from that second, or the generation has ended.
    /// </exception>
    public ValueTask<RateLimitResult> AcquireAndTouchAsync(
        TenantId tenant,
        long generation,
        string sessionId,
        SessionOwner owner,
        params ReadOnlySpan<RateLimit> limits
    )
    {
        var (session, now) = (new SessionUse(sessionId, owner), Now);
        if (!sessions.IsOwn(tenant, session, now))
        {
            return new(WaitAsync(tenant, new(generation, limits.ToArray(), session, null)));
        }

        return TryTake(tenant, limits, now, out var result)
            ? new(Note(tenant, result) with { IsOwnSession = true })
            : new(WaitAsync(tenant, new(generation, limits.ToArray(), null, true)));
    }

    /// <summary>Takes back that a request was counted.</summary>
    public async ValueTask GiveBackAsync(TenantId tenant, long generation, RateLimit[] limits)
    {
        RateLimit[] others = [.. limits.Where(limit => !SliceOf(tenant, limit, Now).TryGiveBack(limit, Now))];
        if (others.Length == 0)
        {
            return;
        }

        try
        {
            await _script
                .RunAsync(tenant, generation, 0, Array.ConvertAll(others, static limit => new LimitAsk(limit, 0, 0, 1, 0)), [], [])
                .ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            local.GiveBack(tenant, others);
        }
    }

    private bool TryTake(TenantId tenant, ReadOnlySpan<RateLimit> limits, TimeSpan now, out RateLimitResult result)
    {
        result = new(true, default, int.MaxValue, TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 0; i < limits.Length; i++)
        {
            if (!SliceOf(tenant, limits[i], now).TryTake(limits[i], now, out var rest))
            {
                // All of a request's limits count it, or none.
                foreach (var taken in limits[..i])
                {
                    SliceOf(tenant, taken, now).TryGiveBack(taken, now);
                }

                return false;
            }

            result = result.With(limits[i], rest);
        }

        return true;
    }

    private async Task<RateLimitResult> WaitAsync(TenantId tenant, WaitingRequest request)
    {
        // Requests are grouped by their last, narrowest limit: requests of one caller have the limit of its tenant in common, too.
        var queue = SliceOf(tenant, request.Limits[^1], Now).Queue;
        if (queue.Enter(request) || await request.Turn.ConfigureAwait(false))
        {
            try
            {
                await DecideAsync(tenant, queue.Take()).ConfigureAwait(false);
            }
            finally
            {
                queue.Leave();
            }
        }

        return Note(tenant, request.Result);
    }

    private RateLimitResult Note(TenantId tenant, in RateLimitResult result)
    {
        redis.Metrics?.Limit(tenant.Value, result.Limit.Policy, result.IsAllowed);
        return result;
    }

    // Whatever happens here, each waiting request must be decided, or it would wait for ever.
    private async Task DecideAsync(TenantId tenant, List<WaitingRequest> requests)
    {
        try
        {
            await AskAsync(tenant, requests).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            requests.ForEach(request => request.Fail(exception));
        }
    }

    private async Task AskAsync(TenantId tenant, List<WaitingRequest> requests)
    {
        try
        {
            await AskStoreAsync(tenant, requests).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception)
        {
            requests.FindAll(static request => request.Session is not null).ForEach(request => request.Fail(exception));
            AskLocally(tenant, requests.FindAll(static request => request.Session is null));
        }
    }

    private async Task AskStoreAsync(TenantId tenant, List<WaitingRequest> requests)
    {
        var ends = sessions.Ends;
        var named = Name(requests);
        var trip = NewTrip(tenant, requests, isLocal: false);
        LimitAnswer answer;
        IReadOnlyList<(RememberedAccount Account, long Changes)> accounts = [];
        try
        {
            accounts = trip.Asks.Length + named.Count == 0 ? [] : Used(tenant);
            answer =
                trip.Asks.Length + named.Count == 0
                    ? trip.Granted
                    : await _script
                        .RunAsync(
                            tenant,
                            requests[0].Generation,
                            requests.Count,
                            trip.Asks,
                            named,
                            [.. accounts.Select(static one => one.Account)]
                        )
                        .ConfigureAwait(false);
        }
        catch (Exception)
        {
            trip.Cancel(Now);
            throw;
        }

        var owns = new Dictionary<SessionUse, bool?>();
        foreach (var (i, name) in named.Index())
        {
            owns[name.Session] = answer.Sessions[i];
            if (answer.Sessions[i] is true)
            {
                sessions.Add(tenant, name.Session, name.Handle, trip.AskedAt, ends);
            }
        }

        foreach (var ((account, changes), version) in accounts.Zip(answer.Versions))
        {
            redis.Remembered.Note(account, version, trip.AskedAt, changes);
        }

        trip.Settle(answer, Now);
        Tell(requests, trip, session => owns[session]);
    }

    private (RememberedAccount Account, long Changes)[] Used(TenantId tenant) =>
        [.. redis.Remembered.TakeUsed(tenant).Select(account => (account, redis.Remembered.ChangesOf(account)))];

    private void AskLocally(TenantId tenant, List<WaitingRequest> requests)
    {
        if (requests.Count == 0)
        {
            return;
        }

        var trip = NewTrip(tenant, requests, isLocal: true);
        trip.Settle(local.Take(tenant, requests.Count, trip.Asks), Now);
        Tell(requests, trip, static _ => null);
    }

    private static void Tell(List<WaitingRequest> requests, LimitTrip trip, Func<SessionUse, bool?> isOwn)
    {
        foreach (var (i, request) in requests.Index())
        {
            request.Decide(
                i < trip.Through
                    ? trip.Allowed with
                    {
                        IsOwnSession = request.Session is { } session ? isOwn(session) : request.IsOwnSession,
                    }
                    : trip.Refused
            );
        }
    }

    private static List<NamedSession> Name(List<WaitingRequest> requests)
    {
        var named = new List<NamedSession>();
        var seen = new HashSet<SessionUse>();
        foreach (var (i, request) in requests.Index())
        {
            if (request.Session is { } session && seen.Add(session))
            {
                named.Add(new(session, TenantKeyspace.Hash(session.Id), i + 1));
            }
        }

        return named;
    }

    private LimitTrip NewTrip(TenantId tenant, List<WaitingRequest> requests, bool isLocal)
    {
        var now = Now;
        redis.Metrics?.Trip(isLocal);
        return new(
            requests[0].Limits,
            Array.ConvertAll(requests[0].Limits, limit => SliceOf(tenant, limit, now)),
            requests.Count,
            isLocal,
            now
        );
    }

    private LimitSlice SliceOf(TenantId tenant, in RateLimit limit, TimeSpan now)
    {
        var subject = new LimitSubject(tenant, limit.Policy, limit.Subject);
        return _slices.TryGet(subject, out var slice) ? slice : _slices.GetOrAdd(subject, new(now), now);
    }
}
