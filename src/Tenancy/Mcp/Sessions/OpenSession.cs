using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>A session on this node.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A handler may look at the end of its session after the session is gone.")]
internal sealed class OpenSession(string? version, TimeProvider time)
{
    // The SDK lets go of what it does not hear of: so often a request of the session goes its way.
    private static readonly TimeSpan SdkInterval = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _calls = new(StringComparer.Ordinal);

    // Few clients are ever asked something.
    private ConcurrentDictionary<string, Question>? _questions;

    private readonly CancellationTokenSource _end = new();
    private string? _handle;

    // The last ones: a client may cancel what has just been answered.
    private readonly string?[] _ended = new string?[32];
    private uint _endedCount;

    // Guards the two that follow.
    private readonly Lock _renewing = new();
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

    /// <summary>
    /// Gets or sets whether the MCP SDK has the log level that the client asked for. It keeps that with its own session, which it may let
    /// go.
    /// </summary>
    public bool KnowsLogLevel { get; set; }

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
        NoteUse();
        return time.GetElapsedTime(last) > SdkInterval && Interlocked.CompareExchange(ref _seenBySdk, time.GetTimestamp(), last) == last;
    }

    /// <summary>Notes that the SDK has just begun the session, or taken it over, with the tools of a platform.</summary>
    public void NoteSdk(PlatformKind? kind = null)
    {
        Volatile.Write(ref _seenBySdk, time.GetTimestamp());
        lock (_renewing)
        {
            _kind = kind;
        }
    }

    /// <summary>Notes what the client was told when the session began.</summary>
    public void Begin(PlatformKind kind) => (Declared, Listed) = (kind, kind);

    /// <summary>
    /// Has the SDK forget the session where it has it with another platform's tools. Who comes meanwhile waits for that. Where it fails,
    /// those who wait learn of it, and the next one tries again.
    /// </summary>
    public Task RenewAsync(PlatformKind kind, Func<Task> forget)
    {
        lock (_renewing)
        {
            if (!_renewal.IsCompleted)
            {
                return _renewal;
            }

            if (_kind is not { } stale || ReferenceEquals(stale, kind))
            {
                return Task.CompletedTask;
            }

            // Noted within the lock, so that nobody begins a second one, and run elsewhere, because the SDK's code and the application's
            // take part in it. The kind is taken out before: while the SDK still forgets the session, it may have it anew already, with a
            // kind that is noted then and must stay.
            _kind = null;
            return _renewal = Task.Run(() => ForgetAsync(stale, forget));
        }
    }

    /// <summary>Notes that a request of the session is here, whichever way it goes.</summary>
    public void NoteUse() => Volatile.Write(ref _lastUse, time.GetTimestamp());

    /// <summary>Whether nothing of the session was here for some time, and no call of it runs.</summary>
    public bool IsIdle(TimeSpan lifetime) => !HasCalls && time.GetElapsedTime(Volatile.Read(ref _lastUse)) > lifetime;

    /// <summary>Begins a call, which goes on until it ends, its client cancels it by the request's id, or the session ends.</summary>
    /// <remarks>
    /// That a connection is gone cancels nothing in a session (MCP 2025-11-25, Streamable HTTP, Sending Messages to the Server).
    /// </remarks>
    public CancellationTokenSource Begin(string requestId)
    {
        var call = new CancellationTokenSource();
        NoteUse();
        _calls[requestId] = call;

        // Looked at after the call was added: the session may end at this moment. Whichever comes second, this line or the end of the
        // session, cancels the call.
        if (_end.IsCancellationRequested)
        {
            Cancel(call);
        }

        return call;
    }

    public void End(string requestId, CancellationTokenSource call)
    {
        NoteUse();
        _ended[Interlocked.Increment(ref _endedCount) % _ended.Length] = requestId;
        _calls.TryRemove(KeyValuePair.Create(requestId, call));
    }

    /// <summary>Gets whether calls run here.</summary>
    public bool HasCalls => !_calls.IsEmpty;

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
    /// <param name="question">The MCP SDK's id of the question.</param>
    /// <returns>
    /// The id under which the client is asked. The SDK counts from 1 on each node, and the answer may come to another node than the one
    /// that asked: it must not be taken for the answer to a question of that one.
    /// </returns>
    public RequestId Ask(RequestId question)
    {
        var id = Guid.NewGuid().ToString("N");
        LazyInitializer.EnsureInitialized(ref _questions, static () => new(StringComparer.Ordinal))["\"" + id] = new(question);
        return new(id);
    }

    /// <summary>Notes that a question is answered: a second answer is none.</summary>
    /// <returns>Whether somebody waits for the answer.</returns>
    public bool TryAnswer(string questionId) =>
        Volatile.Read(ref _questions) is { } questions && questions.TryGetValue(questionId, out var question) && question.TryAnswer();

    /// <summary>Forgets a question.</summary>
    /// <param name="questionId">The id under which the client was asked.</param>
    /// <returns>The MCP SDK's id of the question; null where it was not asked here.</returns>
    public RequestId? Forget(string questionId) =>
        Volatile.Read(ref _questions) is { } questions && questions.TryRemove(questionId, out var question) ? question.Id : null;

    /// <summary>Forgets a question that is given up.</summary>
    /// <param name="question">The MCP SDK's id of it.</param>
    /// <returns>The id under which the client was asked; null where it was not asked here.</returns>
    public RequestId? GiveUp(RequestId question)
    {
        foreach (var (id, asked) in Volatile.Read(ref _questions) ?? [])
        {
            if (asked.Id == question && Forget(id) is not null)
            {
                return new(id[1..]);
            }
        }

        return null;
    }

    /// <summary>Cancels all calls that run here, because the session has ended.</summary>
    public void CancelAll()
    {
        Cancel(_end);
        foreach (var call in _calls.Values)
        {
            Cancel(call);
        }
    }

    private async Task ForgetAsync(PlatformKind stale, Func<Task> forget)
    {
        try
        {
            await forget();
        }
        catch
        {
            lock (_renewing)
            {
                _kind ??= stale;
            }

            throw;
        }
    }

    private sealed class Question(RequestId id)
    {
        private int _isAnswered;

        public RequestId Id { get; } = id;

        public bool TryAnswer() => Interlocked.Exchange(ref _isAnswered, 1) == 0;
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
