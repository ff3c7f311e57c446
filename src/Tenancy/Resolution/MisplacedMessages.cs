using System.Buffers;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>
/// Tells MCP clients that were given a tenant's URL without <c>/mcp</c>, or the place where event streams were before 2025-03-26, where
/// MCP is spoken. An empty 404 tells their users nothing.
/// </summary>
internal sealed class MisplacedMessages(AllowedOrigins origins, McpRefusals refusals, CountedRefusals refused)
{
    private const int LongestPath = 256;

    // What this server has of its own beside tenants.
    private static readonly string[] Others = ["admin", "health", ".well-known"];

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
    );

    /// <summary>Whether a request has no endpoint and is what MCP clients send.</summary>
    public static bool Fits(HttpContext context) =>
        context.GetEndpoint() is null
        && (
            HttpMethods.IsPost(context.Request.Method) && context.Request.HasJsonContentType()
            || HttpMethods.IsGet(context.Request.Method)
                && context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || CrossOrigin.IsPreflight(context.Request)
        )
        && Find(context.Request) is not null;

    /// <summary>Answers where nothing else of the application does.</summary>
    public async Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (
            context.Response.HasStarted
            || context.Response.StatusCode != StatusCodes.Status404NotFound
            || context.GetEndpoint() is not null
        )
        {
            return;
        }

        if (context.Request.Headers.Origin is [{ } origin])
        {
            if (!origins.ContainsForAll(origin))
            {
                return;
            }

            CrossOrigin.Allow(context, origin);
            if (CrossOrigin.IsPreflight(context.Request))
            {
                CrossOrigin.Answer(context, origins.Headers);
                return;
            }
        }

        var refusal = Refusal.NoEndpoint(Find(context.Request)!);
        refused.Count(context, refusal, tenant: null);
        await refusals.WriteAsync(context, refusal);

        // Whatever else answers where nobody did leaves it as it is.
        await context.Response.CompleteAsync();
    }

    // A path that is repeated in an answer has no letters that mean something elsewhere. A longer one may be a tenant's URL, or anything.
    private static string? Find(HttpRequest request)
    {
        var segments = (request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (Others.Contains(segments.FirstOrDefault()))
        {
            return null;
        }

        var path = $"{request.PathBase.Value}{request.Path.Value}";
        var place =
            Array.IndexOf(segments, McpEndpoint.Path[1..]) is >= 0 and var mcp ? segments[..mcp]
            : segments is [.., "sse" or "message" or "messages"] ? segments[..^1]
            : segments.Length <= 1 ? segments
            : null;
        return place is null || path.Length > LongestPath || path.AsSpan().ContainsAnyExcept(Plain)
            ? "the URL of a tenant plus /mcp"
            : $"{request.PathBase.Value}/{string.Join('/', [.. place, McpEndpoint.Path[1..]])}";
    }
}
