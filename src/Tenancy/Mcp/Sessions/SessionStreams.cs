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

    private readonly OpenStreams _open;
    private readonly OpenSessions _sessions;
    private readonly RedisConnection _redis;
    private readonly TenantRegistry _registry;
    private readonly StandingCallers _callers;
    private readonly Heartbeats _heartbeats;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;

    public SessionStreams(
        OpenStreams open,
        OpenSessions sessions,
        RedisConnection redis,
        TenantRegistry registry,
        StandingCallers callers,
        Revocations revocations,
        Heartbeats heartbeats,
        IHostApplicationLifetime lifetime,
        TimeProvider time
    )
    {
        (_open, _sessions, _redis, _registry) = (open, sessions, redis, registry);
        (_callers, _heartbeats, _lifetime, _time) = (callers, heartbeats, lifetime, time);
        revocations.Revoked += JudgeAll;
    }

    /// <summary>Whether a <c>GET</c> asks for the stream of a session; what else it may be the MCP SDK answers.</summary>
    public static bool Fits(McpRequest request) =>
        request is { SessionId: not null, HasKnownVersion: true, IsModern: false }
        && AcceptedReplies.AcceptsEventStream(request.Http.Request);

    /// <summary>Holds the stream of a session until it ends.</summary>
    public async ValueTask RunAsync(McpRequest request)
    {
        var (http, id) = (request.Http, request.SessionId!);
        var stream = new SessionStream(request, id, _sessions.Enter(request.Tenant.Id, id));
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Ended, _lifetime.ApplicationStopping);
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
            var isLast = _open.Remove(stream);
            await stream.CloseAsync();
            if (stream.HasEnded)
            {
                http.Abort();
            }

            if (isLast)
            {
                await NoteAsync(stream, isOpen: false);
            }
        }
    }

    private async Task HoldAsync(SessionStream stream, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_heartbeats.Interval, _time);
        var touched = _time.GetTimestamp();
        _open.Add(stream);
        var now = _registry.Get(stream.Tenant.Id.Value);
        if (!stream.IsLetInBy(now))
        {
            // The tenant changed after the request was let in, and before changes were looked out for.
            stream.End();
        }

        // Before its client knows that it has one.
        await NoteAsync(stream, isOpen: true);
        await stream.BeginAsync(cancellationToken);
        await stream.LetGoOfPlatformAsync();
        await stream.TellListsAsync(now);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            // First of all: it fails where the client is gone.
            await stream.BeatAsync(cancellationToken);
            await JudgeAsync(stream);
            if (_time.GetElapsedTime(touched) >= Interval)
            {
                touched = _time.GetTimestamp();
                await NoteAsync(stream, isOpen: true);
            }
        }
    }

    private async Task NoteAsync(SessionStream stream, bool isOpen)
    {
        var (store, owner) = (
            new SessionStore(_redis, stream.Tenant.Id, stream.Tenant.Generation),
            SessionGuard.Owner(stream.Tenant, stream.Caller)
        );
        try
        {
            var note = isOpen ? store.NoteStreamAsync(stream.SessionId, owner) : store.NoteNoStreamAsync(stream.SessionId, owner);
            if (!await note)
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
            // When all have heard of it: whoever remembers the credential forgets it now, too.
            _ = Task.Run(() => JudgeAsync(stream));
        }
    }

    private Task JudgeAsync(SessionStream stream) => stream.JudgeAsync(http => MayStayAsync(stream, http));

    private async Task<bool> MayStayAsync(SessionStream stream, HttpContext http) =>
        _registry.Get(stream.Tenant.Id.Value) is { } now
        && stream.IsLetInBy(now)
        && await _callers.IsStillGoodAsync(http, now, stream.Caller) is not false;
}
