using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// The stream that a client holds open to hear what its session is told: what it was let in by, and what is written on it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Who ends it, or writes on it, may come after its end.")]
internal sealed class SessionStream
{
    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType =
        (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    private readonly HttpContext _http;
    private readonly OpenSession _session;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _judging = new(1, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _telling = new();
    private readonly TenantRegistry _registry;
    private PlatformKind? _told;
    private bool _isOver;

    /// <summary>Begins with a request that was let in.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sessionId">The caller's own session.</param>
    /// <param name="session">What is known of it here.</param>
    /// <param name="registry">Knows the tenant as it is now.</param>
    public SessionStream(McpRequest request, string sessionId, OpenSession session, TenantRegistry registry)
    {
        _registry = registry;
        (_http, Tenant, Caller, SessionId, _session) = (request.Http, request.Tenant, request.Caller, sessionId, session);
        Handle = TenantKeyspace.Hash(sessionId);
    }

    /// <summary>Gets the tenant as it was when the request was let in.</summary>
    public TenantModel Tenant { get; }

    /// <summary>Gets who was let in.</summary>
    public CallerIdentity Caller { get; }

    public string SessionId { get; }

    /// <summary>Gets what tells it from the other streams of its session.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Gets what admins know the session by.</summary>
    public string Handle { get; }

    /// <summary>Gets or sets when what the caller showed was last known to be good.</summary>
    public required long ProvedAt { get; set; }

    /// <summary>Gets or sets whether the store knows that it is its session's.</summary>
    public bool IsNoted { get; set; }

    /// <summary>Gets whether somebody has ended it, other than its client.</summary>
    public bool HasEnded => _end.IsCancellationRequested;

    /// <summary>Is cancelled when somebody ends it.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Ends it soon. What hears of that runs elsewhere.</summary>
    public void End() => _ = _end.CancelAsync();

    /// <summary>
    /// Whether its tenant lets in by the same proof as when it began; who has shown that proof, <see cref="StandingCallers"/> knows.
    /// </summary>
    public bool IsLetInBy(TenantModel? now) =>
        now is { IsSuspended: false }
        && now.Generation == Tenant.Generation
        && (now.Version == Tenant.Version || !Tenant.Config.EffectsTo(now.Config).HasFlag(ChangeEffects.EndOfStreams));

    /// <summary>
    /// Makes the head, which goes with the first byte of the body: some proxies pass it on with that only. So something is to be said soon.
    /// </summary>
    public void Begin()
    {
        EventStream.Begin(_http.Response);
        EventStream.DisableBuffering(_http);
        _http.Response.Headers[McpRequest.SessionIdHeader] = SessionId;
    }

    /// <summary>Lets go of the platform, which has no part in a stream and is not to wait for its end.</summary>
    public ValueTask LetGoOfPlatformAsync() =>
        _http.Features.Get<ITenantFeature>() is TenantFeature feature ? feature.LetGoAsync() : default;

    /// <summary>Says that it is still there.</summary>
    public Task BeatAsync(CancellationToken cancellationToken) =>
        WriteAsync(static output => output.Write(EventStream.Comment), cancellationToken);

    /// <summary>Sends a message.</summary>
    /// <returns>False where it came after the stream's end, and was dropped.</returns>
    public Task<bool> SendAsync(JsonRpcMessage message, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, MessageType);
        return WriteAsync(
            output =>
            {
                output.Write(EventStream.MessageStart);
                output.Write(json);
                output.Write(EventStream.EventEnd);
            },
            cancellationToken
        );
    }

    /// <summary>Tells the client that it has other lists than it knows, where the tenant has another platform now.</summary>
    public async Task TellListsAsync()
    {
        if (!HasNews())
        {
            return;
        }

        foreach (var method in DeclaredLists())
        {
            await SendAsync(new JsonRpcNotification { Method = method }, Ended);
        }
    }

    /// <summary>Looks whether the request may stay, unless it is over; nobody looks at a request that is.</summary>
    public async Task JudgeAsync(Func<HttpContext, Task<bool>> mayStay)
    {
        await _judging.WaitAsync();
        try
        {
            if (!_isOver && !HasEnded && !await mayStay(_http))
            {
                End();
            }
        }
        finally
        {
            _judging.Release();
        }
    }

    /// <summary>Lets go of the request: from here on nobody writes or looks at it, as Kestrel uses it again.</summary>
    public async Task CloseAsync()
    {
        await _judging.WaitAsync();
        await _turn.WaitAsync();
        _isOver = true;
        _turn.Release();
        _judging.Release();
    }

    // What is there now is looked up under the lock, so that of several changes in a row the last one is noted last, whichever thread
    // comes first.
    private bool HasNews()
    {
        lock (_telling)
        {
            if (_registry.Get(Tenant.Id)?.Platform is not McpPlatformInstance { Kind: var kind })
            {
                return false;
            }

            // Until the client has listed them anew, each stream of the session says so: it may not have been there to hear it. Where this
            // node does not know what the client has listed, because the session comes from another node or from before a restart, it says
            // so, too: a list too many does no harm.
            var known = _told ?? _session.Listed;
            _told = kind;
            return !ReferenceEquals(known, kind);
        }
    }

    // Only of what was declared when the session began. Tools always are; of the others a node does not know it that did not begin the
    // session.
    private IEnumerable<string> DeclaredLists()
    {
        yield return NotificationMethods.ToolListChangedNotification;
        if (_session.Declared?.Prompts is not null)
        {
            yield return NotificationMethods.PromptListChangedNotification;
        }

        if (_session.Declared?.Resources is not null)
        {
            yield return NotificationMethods.ResourceListChangedNotification;
        }
    }

    private async Task<bool> WriteAsync(Action<IBufferWriter<byte>> write, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_isOver)
            {
                return false;
            }

            write(_http.Response.BodyWriter);
            await _http.Response.BodyWriter.FlushAsync(cancellationToken);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }
}
