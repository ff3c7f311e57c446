using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp;

/// <summary>Serves a message of a protocol revision before 2026-07-28 that belongs to no session, which the MCP SDK refuses where it keeps sessions.</summary>
internal sealed class SessionlessCall(IOptionsFactory<McpServerOptions> options, ILoggerFactory loggers)
{
    private const string VersionHeader = "MCP-Protocol-Version";
    private static readonly string[] Versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    public static bool IsFor(HttpRequest http, McpRequest request) =>
        !http.Headers.ContainsKey(SessionGuard.HeaderName) && PlainJsonReply.AcceptsBoth(http)
        && request is { DeclaresVersion: false, Method: not null and not RequestMethods.Initialize }
        && (http.Headers[VersionHeader] is var version && (version.Count == 0 || (version.Count == 1 && Versions.Contains(version[0]))));

    public async Task RunAsync(HttpContext context, McpPlatformInstance platform, string serverName)
    {
        JsonRpcMessage message;
        try
        {
            message = await context.Request.ReadFromJsonAsync(MessageType, context.RequestAborted) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            await Resolution.Refusal.BadJson.WriteAsync(context, isMcp: true);
            return;
        }

        message.Context = new()
        {
            User = context.User.Identity is { IsAuthenticated: true } ? context.User : null,
            ProtocolVersion = context.Request.Headers[VersionHeader] is [{ Length: > 0 } version] ? version : null,
        };

        var serverOptions = options.Create(Options.DefaultName);
        serverOptions.ScopeRequests = false;
        TenantServer.Configure(serverOptions, platform, serverName);
        await using var transport = new StreamableHttpServerTransport(loggers) { Stateless = true };
        await using var server = McpServer.Create(transport, serverOptions, loggers, context.RequestServices);
        context.Features.Set(server);
        var running = server.RunAsync(context.RequestAborted);
        try
        {
            WriteHeaders(context);
            if (!await transport.HandlePostRequestAsync(message, context.Response.Body, context.RequestAborted))
            {
                context.Response.Headers.ContentType = default;
                context.Response.StatusCode = StatusCodes.Status202Accepted;
            }
        }
        finally
        {
            // The handler must not outlive the request whose services it uses.
            await transport.DisposeAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void WriteHeaders(HttpContext context)
    {
        context.Response.Headers.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache,no-store";
        context.Response.Headers.ContentEncoding = "identity";
        context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
    }
}
