using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// The sessions that the store said a moment ago are their callers', and made live their full time again: for a second nobody has to ask
/// for them. One that ended on another node is known within that second; one that ended on this node, at once.
/// </summary>
internal sealed class TouchedSessions
{
    // Less than the second that is promised, because the answer was under way for a while.
    private static readonly TimeSpan Lifetime = LimitSlice.Lifetime;

    private readonly ExpiringTable<(TenantId Tenant, string Id), Touch> _touches = new(sweepSize: 10_000, static (touch, now) =>
        touch.End <= now
    );
    private long _ends;

    /// <summary>How many sessions have ended on this node: an answer from before the last of them is not kept.</summary>
    public long Ends => Volatile.Read(ref _ends);

    /// <summary>How many sessions are known.</summary>
    internal int Count => _touches.Count;

    /// <summary>Whether a session is known to be this caller's.</summary>
    public bool IsOwn(TenantId tenant, in SessionUse session, TimeSpan now) =>
        _touches.TryGet((tenant, session.Id), out var touch) && now < touch.End && touch.Owner == session.Owner;

    /// <summary>Keeps what the store said.</summary>
    /// <param name="tenant">Whose session it is.</param>
    /// <param name="session">The session, which is its caller's.</param>
    /// <param name="handle">The hash of the session's id.</param>
    /// <param name="askedAt">When the store was asked.</param>
    /// <param name="ends"><see cref="Ends"/> from then.</param>
    public void Add(TenantId tenant, in SessionUse session, string handle, TimeSpan askedAt, long ends)
    {
        _touches.Set((tenant, session.Id), new(session.Owner, handle, askedAt + Lifetime), askedAt);

        // Compared after the answer was kept: a session may end between the question and now. Whichever comes second, this line or the end
        // of the session, removes the answer.
        if (Ends != ends)
        {
            _touches.Remove((tenant, session.Id));
        }
    }

    /// <summary>Forgets a session that has ended.</summary>
    public void End(TenantId tenant, string sessionId)
    {
        Interlocked.Increment(ref _ends);
        _touches.Remove((tenant, sessionId));
    }

    /// <summary>Forgets a session that an admin has ended, who knows its handle only.</summary>
    public void EndByHandle(TenantId tenant, string handle)
    {
        Interlocked.Increment(ref _ends);
        _touches.RemoveWhere((session, touch) => session.Tenant == tenant && touch.Handle == handle);
    }

    private sealed record Touch(SessionOwner Owner, string Handle, TimeSpan End);
}
