using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// The sessions that this node's MCP SDK has: what a direct call needs to know of them. Whose they are, and whether they still are, the
/// store says.
/// </summary>
internal sealed class OpenSessions(TimeProvider time) : ITenantChangeListener, IKnownSessions
{
    // The SDK has 10,000 idle ones at most. The requests of one that is forgotten here go the SDK's way, until the SDK has to take the
    // session over anew.
    private const int SweepSize = 20_000;
    private static readonly TimeSpan Lifetime = SessionStore.Lifetime;
    private readonly ConcurrentDictionary<(TenantId Tenant, string Id), OpenSession> _sessions = new();
    private int _nextSweep = SweepSize;

    /// <summary>Gets how many are known.</summary>
    public int Count => _sessions.Count;

    /// <summary>Knows a session that the SDK has begun, or taken over from another node.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="id">The session.</param>
    /// <param name="requestedVersion">
    /// The revision that its client asked for. It is the one that was agreed on where it is spoken here.
    /// </param>
    /// <param name="kind">The platform whose tools the SDK has for it; null where that does not matter.</param>
    public void Add(TenantId tenant, string id, string? requestedVersion, PlatformKind? kind = null)
    {
        Sweep();
        var version = ProtocolVersions.Known(ProtocolVersions.Agree(requestedVersion));

        // The SDK may have dropped this session from its memory, and now have it again. Calls that go the direct way may have run on here
        // all the time, so that the session stays the object that knows them.
        var session = _sessions.GetOrAdd((tenant, id), _ => new(version, time));
        session.Version ??= version;
        session.NoteSdk(kind);
        session.KnowsLogLevel = false;
    }

    /// <summary>Finds a session, or begins to know one of which only the MCP SDK can say more.</summary>
    public OpenSession Enter(TenantId tenant, string id)
    {
        Sweep();
        var session = _sessions.GetOrAdd((tenant, id), _ => new(version: null, time));
        session.NoteUse();
        return session;
    }

    /// <summary>Finds a session; null where this node does not know it.</summary>
    public OpenSession? Find(TenantId tenant, string id) => _sessions.GetValueOrDefault((tenant, id));

    public bool Knows(TenantId tenant, string sessionId) => _sessions.ContainsKey((tenant, sessionId));

    /// <summary>Finds a session of which only the handle is known, as to other nodes; null where this node does not know it.</summary>
    public (string Id, OpenSession Session)? FindByHandle(TenantId tenant, string handle)
    {
        foreach (var ((owner, id), session) in _sessions)
        {
            if (owner == tenant && session.HandleOf(id) == handle)
            {
                return (id, session);
            }
        }

        return null;
    }

    /// <summary>The sessions in which calls run here, by their handles.</summary>
    public IReadOnlyList<(TenantId Tenant, string Handle)> FindRunning() =>
        [
            .. _sessions
                .Where(static session => session.Value.HasCalls)
                .Select(static session => (session.Key.Tenant, session.Value.HandleOf(session.Key.Id))),
        ];

    /// <summary>Ends a session, and with it the calls that run in it.</summary>
    public void End(TenantId tenant, string id)
    {
        if (_sessions.TryRemove((tenant, id), out var session))
        {
            session.CancelAll();
        }
    }

    /// <summary>Ends a session of which only the handle is known: to an admin, and to other nodes.</summary>
    public void EndByHandle(TenantId tenant, string handle)
    {
        if (FindByHandle(tenant, handle) is var (id, _))
        {
            End(tenant, id);
        }
    }

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            RemoveWhere(session => session.Key.Tenant == change.TenantId);
        }
    }

    private void Sweep()
    {
        if (_sessions.Count < Volatile.Read(ref _nextSweep))
        {
            return;
        }

        // Twice what is in use, so that many sessions in use are not all looked at for each new one.
        RemoveWhere(session => session.Value.IsIdle(Lifetime));
        Volatile.Write(ref _nextSweep, Math.Max(SweepSize, _sessions.Count * 2));
    }

    private void RemoveWhere(Func<KeyValuePair<(TenantId Tenant, string Id), OpenSession>, bool> isOver)
    {
        foreach (var session in _sessions.Where(isOver))
        {
            if (_sessions.TryRemove(session))
            {
                session.Value.CancelAll();
            }
        }
    }
}
