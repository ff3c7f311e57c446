using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Requests;

/// <summary>One request to a tenant's MCP endpoint: whose it is, what its head says, and the message in its body.</summary>
/// <remarks>
/// It ends with the HTTP request. Nothing that may outlive that, such as a call, refers to it: Kestrel uses an HttpContext again.
/// </remarks>
internal sealed class McpRequest
{
    /// <summary>The header that names a session.</summary>
    public const string SessionIdHeader = McpEndpoint.SessionIdHeader;

    /// <summary>The method by which a client says what it wants to be told of a server's log.</summary>
    public const string SetLogLevel = "logging/setLevel";

    private MessageHead _head;

    public McpRequest(HttpContext http)
    {
        var feature = http.Features.GetRequiredFeature<ITenantFeature>();
        Http = http;
        Tenant = feature.Tenant;
        Caller = http.Features.Get<IHttpAuthenticationFeature>() is KnownUser { IsReplaced: false } known
            ? known.Caller
            : CallerIdentity.Read(http.User, Tenant.Id);
        Reply = AcceptedReplies.Of(http.Request);
        HasKnownVersion = ProtocolVersions.TryRead(http.Request.Headers, out var version);
        Version = version;
        SessionId = http.Request.Headers[SessionIdHeader] is [{ Length: > 0 } sessionId] ? sessionId : null;
    }

    public HttpContext Http { get; }

    public TenantModel Tenant { get; }

    public McpPlatformInstance Platform => McpPlatformInstance.Of(Tenant);

    /// <summary>Gets the user, as ASP.NET Core has it. Most requests do without.</summary>
    public ClaimsPrincipal User => Http.User;

    public CallerIdentity Caller { get; }

    /// <summary>Gets whether the caller has shown nothing at a tenant that asks for something.</summary>
    public bool IsStranger => CallerRights.IsStranger(Tenant, Caller);

    /// <summary>Gets the form of the answer that the client reads.</summary>
    public AcceptedReply Reply { get; }

    /// <summary>Gets the revision of the protocol that the head names; null for none, and for one that is not spoken here.</summary>
    public string? Version { get; }

    /// <summary>Gets whether the head names a revision that is spoken here, or none.</summary>
    public bool HasKnownVersion { get; }

    /// <summary>Gets whether the request is of the generation without sessions.</summary>
    public bool IsModern => ReferenceEquals(Version, ProtocolVersions.Modern);

    /// <summary>Gets the session that is named; null where there is none.</summary>
    public string? SessionId { get; }

    /// <summary>Gets or sets whether a session is named that is not the caller's.</summary>
    public bool IsForeignSession { get; set; }

    /// <summary>
    /// Gets or sets the refusal of a request that is beyond its limits, and whose message is read all the same; null for all others.
    /// </summary>
    public Refusal? BeyondLimit { get; set; }

    /// <summary>
    /// Gets whether the request has the header that names sessions, whatever stands in it. A request whose header is empty, or has two
    /// values, has no <see cref="SessionId"/>, and yet is not one of a client without sessions.
    /// </summary>
    public bool HasSessionHeader => Http.Request.Headers.ContainsKey(SessionIdHeader);

    /// <summary>Gets the message, in one piece, until the body is released.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>Gets how many bytes the body had, also when it is released.</summary>
    public int BodyBytes { get; private set; }

    /// <summary>Gets what was read of the message.</summary>
    public ref readonly MessageHead Head => ref _head;

    /// <summary>Gets the tool that is called; null where none is, and where the platform has no such tool.</summary>
    public TenantTool? Tool { get; private set; }

    /// <summary>Gets the id of the message, as far as an answer can repeat it.</summary>
    public JsonNode? Id { get; private set; }

    /// <summary>Gets the id by which the request can be cancelled; null where none was kept.</summary>
    public string? RequestId { get; private set; }

    /// <summary>Gets whether the message opens a session.</summary>
    public bool BeginsSession =>
        Head.IsRequest && Head.Method is RequestMethods.Initialize && !HasSessionHeader && !IsModern && !IsStranger;

    /// <summary>Gets whether the message asks what the server is, which is how a connection begins.</summary>
    public bool IsHandshake => Head.IsRequest && Head.Method is RequestMethods.Initialize or RequestMethods.ServerDiscover;

    /// <summary>Gets whether the message does more with its session than to begin it and to see whether it is there.</summary>
    public bool UsesSession => Head.IsRequest && Head.Method is not (RequestMethods.Initialize or RequestMethods.Ping or SetLogLevel);

    /// <summary>
    /// Gets whether the message belongs to the beginning of a connection, or to keeping it, and asks for nothing of the tenant's.
    /// </summary>
    public bool IsPreliminary => IsHandshake || Head.Method is RequestMethods.Ping or NotificationMethods.InitializedNotification;

    /// <summary>Gets whether nobody's handler is asked: a notification, an answer to a question of the server's, or a ping.</summary>
    public bool RunsNothing => !Head.IsRequest || Head.Method is RequestMethods.Ping;

    /// <summary>Takes the message.</summary>
    /// <returns>False where it is no JSON.</returns>
    public bool TryRead(ReadOnlyMemory<byte> body)
    {
        Body = body;
        BodyBytes = body.Length;
        if (!MessageHead.TryRead(body.Span, out _head))
        {
            return false;
        }

        Tool = _head.IsCall && !MessageHead.IsEmpty(_head.Name) ? Platform.Kind.FindTool(body.Span[_head.Name]) : null;
        return true;
    }

    /// <summary>Lets go of the message: its bytes are somebody else's from now on.</summary>
    public void ReleaseBody() => Body = default;

    /// <summary>Keeps the id for an answer that refuses the request. That of an answer is one of the server's own ids.</summary>
    public JsonNode? ReadId()
    {
        if (Id is null && !Body.IsEmpty && !MessageHead.IsEmpty(_head.Id) && !_head.IsAnswer)
        {
            ReadId(Body.Span[_head.Id]);
        }

        return Id;
    }

    /// <summary>Keeps the id, as it stood in a message that was released, for an answer that refuses the request.</summary>
    public void ReadId(ReadOnlySpan<byte> id) => Id = ParseId(id);

    /// <summary>Keeps the id of a message that is refused before all of it is there.</summary>
    public void KeepId(JsonNode? id) => Id = id;

    /// <summary>Keeps the id by which the request can be cancelled in its session.</summary>
    public void KeepRequestId() => RequestId = SessionId is not null && _head.IsRequest ? RequestIds.Read(Body.Span[_head.Id]) : null;

    /// <summary>The name of the tool that is called, whether or not there is one; null where none is named.</summary>
    public string? ToolName()
    {
        if (Tool is not null || !_head.IsCall || MessageHead.IsEmpty(_head.Name))
        {
            return Tool?.ProtocolTool.Name;
        }

        var reader = new Utf8JsonReader(Body.Span[_head.Name]);
        return reader.Read() ? reader.GetString() : null;
    }

    // As a text of its own, so that it is written as JSON has it here, and not as the client wrote it.
    private static JsonNode ParseId(ReadOnlySpan<byte> id)
    {
        var node = JsonNode.Parse(id)!;
        return node.GetValueKind() == JsonValueKind.String ? JsonValue.Create(node.GetValue<string>()) : node;
    }
}
