using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// The sessions that this node's MCP SDK has: what a direct call needs to know of them. Whose they are, and whether they still are, the
/// store says.
/// </summary>
internal sealed class OpenSessions(TimeProvider time) : ITenantChangeListener
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
        var version = ProtocolVersions.Known(requestedVersion);

        // A session that the SDK let go of and took back may have direct calls under way here: it stays the same object.
        var session = _sessions.GetOrAdd((tenant, id), _ => new(version, time));
        session.Version ??= version;
        session.NoteSdk(kind);
    }

    /// <summary>Finds a session, or begins to know one of which only the MCP SDK can say more.</summary>
    public OpenSession Enter(TenantId tenant, string id)
    {
        Sweep();
        return _sessions.GetOrAdd((tenant, id), _ => new(version: null, time));
    }

    /// <summary>Finds a session; null where this node does not know it.</summary>
    public OpenSession? Find(TenantId tenant, string id) => _sessions.GetValueOrDefault((tenant, id));

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
        foreach (var ((owner, id), session) in _sessions)
        {
            if (owner == tenant && session.HandleOf(id) == handle)
            {
                End(tenant, id);
            }
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

/// <summary>A session on this node.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A handler may look at the end of its session after the session is gone.")]
internal sealed class OpenSession(string? version, TimeProvider time)
{
    // The SDK lets go of what it does not hear of: so often a request of the session goes its way.
    private static readonly TimeSpan SdkInterval = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _calls = new(StringComparer.Ordinal);

    // Few clients are ever asked something.
    private ConcurrentDictionary<string, bool>? _questions;

    private readonly CancellationTokenSource _end = new();
    private string? _handle;

    // The last ones: a client may cancel what has just been answered.
    private readonly string?[] _ended = new string?[32];
    private uint _endedCount;
    private PlatformKind? _kind;
    private Task _renewal = Task.CompletedTask;
    private string? _version = version;
    private long _seenBySdk = time.GetTimestamp();
    private long _lastUse = time.GetTimestamp();

    /// <summary>Gets or sets the revision that was agreed on; null where only the SDK knows it.</summary>
    public string? Version
    {
        get => Volatile.Read(ref _version);
        set => Volatile.Write(ref _version, value);
    }

    /// <summary>Gets or sets the platform whose tools the client has listed last, or was told of first; null where nobody knows.</summary>
    public PlatformKind? Listed { get; set; }

    /// <summary>Gets the platform by which it was said what the session has; null where another node said so.</summary>
    public PlatformKind? Declared { get; private set; }

    /// <summary>The session's handle, which is the hash of its id.</summary>
    public string HandleOf(string id) => _handle ??= TenantKeyspace.Hash(id);

    /// <summary>Gets what is cancelled when the session ends, for handlers that outlive their requests.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Gets or sets whether it is known that the session's client does more than begin it.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Gets an id of the session's own for traces, which show the session's real id to nobody.</summary>
    public string TraceId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Whether the SDK would take a request with this revision in its head: within a session it cannot change.</summary>
    public bool Takes(string? sent) =>
        Version is not (null or ProtocolVersions.First or ProtocolVersions.Modern) && (sent is null || sent == Version);

    /// <summary>
    /// Whether the next request is to go the SDK's way, so that it does not take the session for idle. Only one of those that ask is told
    /// so.
    /// </summary>
    public bool IsDueAtSdk()
    {
        var last = Volatile.Read(ref _seenBySdk);
        Volatile.Write(ref _lastUse, time.GetTimestamp());
        return time.GetElapsedTime(last) > SdkInterval && Interlocked.CompareExchange(ref _seenBySdk, time.GetTimestamp(), last) == last;
    }

    /// <summary>Notes that the SDK has just begun the session, or taken it over, with the tools of a platform.</summary>
    public void NoteSdk(PlatformKind? kind = null)
    {
        Volatile.Write(ref _seenBySdk, time.GetTimestamp());
        lock (_ended)
        {
            _kind = kind;
        }
    }

    /// <summary>Notes what the client was told when the session began.</summary>
    public void Begin(PlatformKind kind) => (Declared, Listed) = (kind, kind);

    /// <summary>Has the SDK forget the session where it has it with another platform's tools. Who comes meanwhile waits for that.</summary>
    public Task RenewAsync(PlatformKind kind, Func<Task> forget)
    {
        lock (_ended)
        {
            if (_kind is not null && !ReferenceEquals(_kind, kind))
            {
                _kind = null;
                _renewal = forget();
            }

            return _renewal;
        }
    }

    public bool IsIdle(TimeSpan lifetime) => time.GetElapsedTime(Volatile.Read(ref _lastUse)) > lifetime;

    /// <summary>Begins a call, which goes on until it ends, its client cancels it by the request's id, or the session ends.</summary>
    /// <remarks>
    /// That a connection is gone cancels nothing in a session (MCP 2025-11-25, Streamable HTTP, Sending Messages to the Server).
    /// </remarks>
    public CancellationTokenSource Begin(string requestId) => _calls[requestId] = new();

    public void End(string requestId, CancellationTokenSource call)
    {
        _ended[Interlocked.Increment(ref _endedCount) % _ended.Length] = requestId;
        _calls.TryRemove(KeyValuePair.Create(requestId, call));
    }

    /// <summary>Cancels a call that runs here.</summary>
    /// <returns>Whether it runs here, or has just ended here, which its client could not know.</returns>
    public bool TryCancel(string requestId)
    {
        if (!_calls.TryGetValue(requestId, out var call))
        {
            return _ended.Contains(requestId);
        }

        Cancel(call);
        return true;
    }

    /// <summary>Notes that the client is asked something.</summary>
    public void Ask(string questionId) =>
        LazyInitializer.EnsureInitialized(ref _questions, static () => new(StringComparer.Ordinal))[questionId] = true;

    /// <summary>Notes that nobody waits any more for the answer to a question, if somebody did.</summary>
    /// <returns>Whether somebody did.</returns>
    public bool TryAnswer(string questionId) => Volatile.Read(ref _questions)?.TryRemove(questionId, out _) is true;

    /// <summary>Cancels all calls that run here, because the session has ended.</summary>
    public void CancelAll()
    {
        Cancel(_end);
        foreach (var call in _calls.Values)
        {
            Cancel(call);
        }
    }

    private static void Cancel(CancellationTokenSource call)
    {
        try
        {
            // What is registered with the token is foreign code: it runs elsewhere.
            _ = call.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The call has just ended.
        }
    }
}
