using System.Buffers;
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
    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    /// <summary>Serves a message; false where it is not for here, and nothing has happened.</summary>
    public ValueTask<bool> TryServeAsync(HttpContext context, TenantModel tenant, McpRequest request, HeldReply reply)
    {
        var http = context.Request;
        if (http.Headers.ContainsKey(SessionGuard.HeaderName) || !ProtocolVersions.TryRead(http.Headers, out var version) || !(reply.IsPlainJson || AcceptedReply.IsBoth(http)))
        {
            return new(false);
        }

        var kind = ((McpPlatformInstance)tenant.Platform!).Kind;
        var shared = IsPlain(http, request, version) && !kind.HasHeaderParameters(request.ToolName) ? servers.Find(kind, version) : null;
        return shared is null ? ServeByItselfAsync(context, tenant, request, version, reply) : ServeAsync(shared, context, tenant, request, version, reply);
    }

    private async ValueTask<bool> ServeAsync(StatelessServer shared, HttpContext context, TenantModel tenant, McpRequest request, string? version, HeldReply reply) =>
        End(await BeginAsync(shared, context, tenant, request.Plain!.Message, version, reply), context.Response, reply) || await ServeByItselfAsync(context, tenant, request, version, reply);

    private async ValueTask<bool> ServeByItselfAsync(HttpContext context, TenantModel tenant, McpRequest request, string? version, HeldReply reply)
    {
        if (version == ProtocolVersions.Modern || request.Method is null or RequestMethods.Initialize || (version is null && request.DeclaresVersion) || await ReadAsync(context.Request) is not { } message)
        {
            return false;
        }

        await using var own = servers.Create(((McpPlatformInstance)tenant.Platform!).Kind, version);
        return End(await BeginAsync(own, context, tenant, message, version, reply), context.Response, reply);
    }

    private static Task<StatelessOutcome> BeginAsync(StatelessServer server, HttpContext context, TenantModel tenant, JsonRpcMessage message, string? version, HeldReply reply)
    {
        message.Context = new()
        {
            User = context.User.Identities.Any(identity => identity.IsAuthenticated) ? context.User : null,
            ProtocolVersion = version,
        };
        reply.BecomeEventStream();
        return server.HandleAsync(context, tenant.Config.Name ?? tenant.Id.Value, message, reply, version == ProtocolVersions.Modern ? first => SetStatus(context.Response, first) : null);
    }

    private static bool End(StatelessOutcome outcome, HttpResponse response, HeldReply reply)
    {
        if (outcome == StatelessOutcome.Accepted)
        {
            response.ContentType = null;
            response.StatusCode = StatusCodes.Status202Accepted;
        }
        else if (outcome == StatelessOutcome.NotBegun)
        {
            reply.Forget();
        }

        return outcome != StatelessOutcome.NotBegun;
    }

    // As the SDK does since 2026-07-28.
    private static ValueTask SetStatus(HttpResponse response, JsonRpcMessage? first)
    {
        if (first is JsonRpcError { Error.Code: var code } && !response.HasStarted)
        {
            response.StatusCode = (McpErrorCode)code switch
            {
                McpErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
                McpErrorCode.MissingRequiredClientCapability or McpErrorCode.UnsupportedProtocolVersion or McpErrorCode.HeaderMismatch => StatusCodes.Status400BadRequest,
                _ => response.StatusCode,
            };
        }

        return default;
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
