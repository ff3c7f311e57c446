using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// Holds the streams open on which sessions are told things. A stream keeps its session alive as long as its client is there, says
/// something now and then, and ends when what it was let in by ends.
/// </summary>
/// <remarks>
/// The MCP SDK can do this, too, but once in the life of a session only. So the SDK never sees these requests, and what it would send on
/// their streams comes by <see cref="Sdk.SessionMessages"/>.
/// </remarks>
internal sealed class SessionStreams
{
    /// <summary>How often a stream asks whether its session is still there, as another node may have ended it.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // By the machine's clock, which no test moves.
    private static readonly TimeSpan EndPatience = TimeSpan.FromMilliseconds(250);

    private readonly OpenStreams _open;
    private readonly OpenSessions _sessions;
    private readonly RedisConnection _redis;
    private readonly FleetMessages _messages;
    private readonly TenantRegistry _registry;
    private readonly StandingCallers _callers;
    private readonly Heartbeats _heartbeats;
    private readonly ServingTime _serving;
    private readonly TimeProvider _time;

    public SessionStreams(
        OpenStreams open,
        OpenSessions sessions,
        RedisConnection redis,
        FleetMessages messages,
        TenantRegistry registry,
        StandingCallers callers,
        Revocations revocations,
        Heartbeats heartbeats,
        ServingTime serving,
        TimeProvider time
    )
    {
        (_open, _sessions, _redis, _messages, _registry) = (open, sessions, redis, messages, registry);
        (_callers, _heartbeats, _serving, _time) = (callers, heartbeats, serving, time);
        revocations.Revoked += JudgeAll;
        messages.Listen(message =>
        {
            // One that is not noted yet is the newest.
            if (message.Topic == FleetTopic.Stream && _open.FindByHandle(message.Tenant, message.Detail) is { IsNoted: true } stream)
            {
                // Elsewhere: who listens must be quick. The store knows which stream is the session's.
                _ = Task.Run(() => NoteAsync(stream));
            }
        });
    }

    /// <summary>Whether a <c>GET</c> asks for the stream of a session. The MCP SDK answers every other <c>GET</c>.</summary>
    public static bool Fits(McpRequest request) =>
        request is { SessionId: not null, HasKnownVersion: true, IsModern: false }
        && AcceptedReplies.AcceptsEventStream(request.Http.Request);

    /// <summary>Holds the stream of a session until it ends.</summary>
    public async ValueTask RunAsync(McpRequest request)
    {
        var (http, id) = (request.Http, request.SessionId!);
        var stream = new SessionStream(request, id, _sessions.Enter(request.Tenant.Id, id), _registry) { ProvedAt = _time.GetTimestamp() };
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Ended, _serving.Ended);
        try
        {
            await HoldAsync(stream, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // Its client went, the server stops, or somebody ended it.
        }
        finally
        {
            _open.Remove(stream);
            await CloseAsync(stream, http);

            // Also where another has taken its place: one that began earlier may have been noted later.
            await NoteEndAsync(stream);
        }
    }

    // A client takes a connection that is cut for a failure. So the stream is ended, unless who writes on it waits for a client that reads
    // nothing.
    private static async Task CloseAsync(SessionStream stream, HttpContext http)
    {
        var closing = stream.CloseAsync();
        if (stream.HasEnded)
        {
            await closing.WaitAsync(EndPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!closing.IsCompleted)
            {
                http.Abort();
            }
        }

        await closing;
    }

    private async Task HoldAsync(SessionStream stream, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_heartbeats.Interval, _time);
        var touched = _time.GetTimestamp();

        // Before the stream can be found: what the session is told from then on is written at once, and the head goes with it.
        stream.Begin();
        _open.Add(stream);

        // The tenant may have changed, or the caller been revoked, after the request was let in and before the stream could be found.
        await JudgeAsync(stream);

        // Before its client knows that it has one.
        cancellationToken.ThrowIfCancellationRequested();
        await NoteBeginAsync(stream);
        await stream.BeatAsync(cancellationToken);
        await stream.LetGoOfPlatformAsync();
        await stream.TellListsAsync();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            // First of all: it fails where the client is gone.
            await stream.BeatAsync(cancellationToken);
            await JudgeAsync(stream);
            if (_time.GetElapsedTime(touched) >= Interval)
            {
                touched = _time.GetTimestamp();
                await (stream.IsNoted ? NoteAsync(stream) : NoteBeginAsync(stream));
            }
        }
    }

    private Task NoteBeginAsync(SessionStream stream) => AskAsync(stream, async (store, owner) =>
        {
            var (isOwn, hadOther) = await store.BeginStreamAsync(stream.SessionId, owner, stream.Id);
            stream.IsNoted = true;
            if (hadOther)
            {
                // It may be at another node, which asks the store then.
                _messages.Tell(new(FleetTopic.Stream, stream.Tenant.Id, stream.Handle));
            }

            return isOwn;
        });

    private Task NoteAsync(SessionStream stream) =>
        AskAsync(stream, (store, owner) => store.NoteStreamAsync(stream.SessionId, owner, stream.Id));

    private Task NoteEndAsync(SessionStream stream) => AskAsync(stream, async (store, owner) =>
        {
            await store.EndStreamAsync(stream.SessionId, owner, stream.Id);
            return true;
        });

    /// <summary>Ends a stream that is its session's no more.</summary>
    private async Task AskAsync(SessionStream stream, Func<SessionStore, SessionOwner, Task<bool>> isOwnAsync)
    {
        var store = new SessionStore(_redis, stream.Tenant.Id, stream.Tenant.Generation);
        try
        {
            if (!await isOwnAsync(store, SessionGuard.Owner(stream.Tenant, stream.Caller)))
            {
                stream.End();
            }
        }
        catch (StoreUnavailableException)
        {
            // It is asked again in a minute; until then nobody has said that the session is gone.
        }
    }

    private void JudgeAll(TenantId tenant)
    {
        foreach (var stream in _open.Of(tenant))
        {
            // Elsewhere, so that who has revoked does not wait for what is asked of others. Nothing remembers the credential any more.
            _ = Task.Run(() => JudgeAsync(stream));
        }
    }

    private Task JudgeAsync(SessionStream stream) => stream.JudgeAsync(http => MayStayAsync(stream, http));

    private async Task<bool> MayStayAsync(SessionStream stream, HttpContext http)
    {
        if (_registry.Get(stream.Tenant.Id.Value) is not { } now || !stream.IsLetInBy(now))
        {
            return false;
        }

        if (_callers.FindLifetime(now) is { } lifetime)
        {
            return _time.GetElapsedTime(stream.ProvedAt) < lifetime;
        }

        var isGood = await _callers.IsStillGoodAsync(http, now, stream.Caller);
        if (isGood is true)
        {
            stream.ProvedAt = _time.GetTimestamp();
        }

        return isGood ?? _time.GetElapsedTime(stream.ProvedAt) < StandingCallers.Patience;
    }
}
