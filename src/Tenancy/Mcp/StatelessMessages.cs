using System.Buffers;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Serves messages that belong to no session: plain calls by a long-lived server. It refuses nothing: what is unusual is left to the MCP SDK, as it was read.</summary>
/// <remarks>Before 2026-07-28 the SDK refuses what has no session where it keeps sessions, so that an unusual message of that time gets a server of its own here.</remarks>
internal sealed class StatelessMessages(StatelessServers servers)
{
    private static readonly Task<bool> NotServed = Task.FromResult(false);
    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    /// <summary>Serves a plain call; false where it is not one, and nothing has happened.</summary>
    public Task<bool> TryServeAsync(HttpContext context, TenantModel tenant, McpRequest request, HeldReply reply)
    {
        var kind = ((McpPlatformInstance)tenant.Platform!).Kind;
        return IsForHere(context.Request, reply, out var version) && IsPlain(context.Request, request, version) && !kind.HasHeaderParameters(request.ToolName) && servers.Find(kind, version) is { } shared
            ? BeginAsync(shared, context, request.Plain!.Message, version, reply)
            : NotServed;
    }

    /// <summary>Serves what is unusual, by a server of its own; false where it is not for here, and nothing has happened.</summary>
    public async Task<bool> TryServeAloneAsync(HttpContext context, TenantModel tenant, McpRequest request, HeldReply reply)
    {
        if (!IsForHere(context.Request, reply, out var version) || version == ProtocolVersions.Modern || request.Method is null or RequestMethods.Initialize
            || (version is null && request.DeclaresVersion) || await ReadAsync(context.Request) is not { } message)
        {
            return false;
        }

        await using var own = servers.Create(((McpPlatformInstance)tenant.Platform!).Kind, version);
        return await BeginAsync(own, context, message, version, reply);
    }

    private static bool IsForHere(HttpRequest http, HeldReply reply, out string? version)
    {
        version = null;
        return !http.Headers.ContainsKey(SessionGuard.HeaderName) && ProtocolVersions.TryRead(http.Headers, out version) && (reply.IsPlainJson || AcceptedReply.IsBoth(http));
    }

    private static Task<bool> BeginAsync(StatelessServer server, HttpContext context, JsonRpcMessage message, string? version, HeldReply reply)
    {
        message.Context = new()
        {
            User = IsAuthenticated(context.User) ? context.User : null,
            ProtocolVersion = version,
        };
        reply.BecomeEventStream();
        return server.TryHandleAsync(context, message, reply, version == ProtocolVersions.Modern ? reply.SetStatus : null);
    }

    private static bool IsAuthenticated(ClaimsPrincipal user)
    {
        foreach (var identity in user.Identities)
        {
            if (identity.IsAuthenticated)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPlain(HttpRequest http, McpRequest request, string? version) =>
        request.Plain is { } plain && http.ContentType is "application/json" or "application/json; charset=utf-8"
        && (version == ProtocolVersions.Modern ? plain.Version == ProtocolVersions.Modern && HasItsHeaders(http.Headers, request) : plain.Version is null);

    // Since 2026-07-28 headers repeat what the body says.
    private static bool HasItsHeaders(IHeaderDictionary headers, McpRequest request) =>
        headers["Mcp-Method"] is [{ } method] && method == request.Method
        && (method != RequestMethods.ToolsCall
            || (headers["Mcp-Name"] is [{ } name] && name == request.ToolName && !name.StartsWith("=?", StringComparison.Ordinal) && !name.AsSpan().ContainsAnyExceptInRange(' ', '~')));

    // What is no message the SDK refuses, which reads it again.
    private static async ValueTask<JsonRpcMessage?> ReadAsync(HttpRequest http)
    {
        if (!http.HasJsonContentType())
        {
            return null;
        }

        var body = (await http.BodyReader.ReadAsync(http.HttpContext.RequestAborted)).Buffer;
        try
        {
            return Read(body);
        }
        catch (JsonException)
        {
            return null;
        }
        finally
        {
            http.BodyReader.AdvanceTo(body.Start);
        }
    }

    private static JsonRpcMessage? Read(in ReadOnlySequence<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        return JsonSerializer.Deserialize(ref reader, MessageType);
    }
}
