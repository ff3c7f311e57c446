using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sdk;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Mcp.Direct;

/// <summary>
/// Which requests can be answered without the MCP SDK: plain calls and lists of tenants' tools, where the application put nothing of its
/// own in the way.
/// </summary>
internal sealed class DirectConditions(
    OpenSessions sessions,
    PlatformCatalog platforms,
    TenantServerOptions tenants,
    IOptions<McpServerOptions> server,
    IOptions<HttpServerTransportOptions> transport
)
{
    private readonly bool _isUsual = IsUsual(server.Value, transport.Value, platforms, tenants);
    private readonly KnownClients _clients = new();

    /// <summary>Whether a request can be answered directly. In doubt it cannot.</summary>
    public bool Fit(McpRequest request) =>
        _isUsual
        && request.Head.IsPlain
        && request.HasKnownVersion
        && request.Reply != AcceptedReply.Unclear
        && request.Http.Request.ContentType is "application/json" or "application/json; charset=utf-8"
        && FitsMethod(request)
        && (request.IsModern ? FitsModern(request) : FitsEarlier(request));

    private static bool FitsMethod(McpRequest request) =>
        request.Head.IsCall
            ? request.Tool is { NeedsServer: false } && !request.Platform.Kind.HasHeaderParameters(request.Tool.ProtocolTool.Name)
            : !request.Platform.Kind.HasGuards;

    // Before 2026-07-28 nothing that is reserved means anything, so that it is left to the SDK.
    private bool FitsEarlier(McpRequest request) =>
        !request.Head.HasReservedMeta
        && request.Version is not ProtocolVersions.First
        && (!request.HasSessionHeader || FitsSession(request));

    private bool FitsSession(McpRequest request) =>
        request.SessionId is { } id
        && sessions.Find(request.Tenant.Id, id) is { } session
        && session.Takes(request.Version)
        && !session.IsDueAtSdk();

    // Since 2026-07-28 headers repeat what the message says, and the message says what its client is.
    private bool FitsModern(McpRequest request)
    {
        ref readonly var head = ref request.Head;
        var body = request.Body.Span;
        return !request.HasSessionHeader
            && body[head.Version].SequenceEqual("\"2026-07-28\""u8)
            && !MessageHead.IsEmpty(head.Capabilities)
            && _clients.AreCapabilities(body[head.Capabilities])
            && (MessageHead.IsEmpty(head.Client) || _clients.IsClient(body[head.Client]))
            && HasItsHeaders(request.Http.Request.Headers, head, body);
    }

    private static bool HasItsHeaders(IHeaderDictionary headers, in MessageHead head, ReadOnlySpan<byte> body) =>
        headers["Mcp-Method"] is [{ } method]
        && method == head.Method
        && (!head.IsCall || (headers["Mcp-Name"] is [{ } name] && Ascii.Equals(body[head.Name][1..^1], name)));

    // Whether the MCP SDK is set up as this library does it. An application may have given it tools for all tenants, one fixed revision,
    // filters or handlers that have to see calls and lists, or its own way to set up and run sessions: then only the SDK can answer.
    private static bool IsUsual(
        McpServerOptions server,
        HttpServerTransportOptions transport,
        PlatformCatalog platforms,
        TenantServerOptions tenants
    ) =>
        server is { ProtocolVersion: null, ToolCollection: var tools }
        && (tools is null or { IsEmpty: true } || tools == platforms.HeaderTools)
        && HasNoHandlers(server)
        && HasOnlyOurFilters(server)
        && transport.SessionMode == HttpServerSessionMode.StatefulForInitializeClients
        && transport.ConfigureSessionOptions == tenants.ConfigureAsync
#pragma warning disable MCPEXP002 // Whoever uses the experimental handler is served without this.
        && transport.RunSessionHandler is null;

    private static bool HasNoHandlers(McpServerOptions server) =>
        server.Handlers is { CallToolHandler: null, ListToolsHandler: null, CallToolWithAlternateHandler: null }
        && server.RequestHandlers?.Any(handler => handler.Method is RequestMethods.ToolsCall or RequestMethods.ToolsList) is not true;

    private static bool HasOnlyOurFilters(McpServerOptions server)
    {
        var (requests, messages) = (server.Filters.Request, server.Filters.Message);
        IEnumerable<Delegate> filters =
        [
            .. requests.CallToolFilters,
            .. requests.CallToolWithAlternateFilters,
            .. requests.ListToolsFilters,
            .. messages.IncomingFilters,
            .. messages.OutgoingFilters,
        ];
        return filters.All(filter => IsOurs(filter.Method.Module.Assembly));
    }
#pragma warning restore MCPEXP002

    // MapMcp always brings two filters of its own, which guard what has [Authorize]: a tool that has goes the SDK's way.
    private static bool IsOurs(System.Reflection.Assembly assembly) =>
        assembly == typeof(DirectConditions).Assembly || assembly == typeof(HttpServerTransportOptions).Assembly;
}
