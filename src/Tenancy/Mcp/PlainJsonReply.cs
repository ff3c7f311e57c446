using System.Net.ServerSentEvents;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Tenancy.Mcp;

/// <summary>Gives a client that accepts JSON only the answer as plain JSON, where the MCP SDK knows event streams alone.</summary>
internal static class PlainJsonReply
{
    private const string Both = "application/json, text/event-stream";

    /// <summary>Whether the client reads JSON and no event stream.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        return !MentionsEventStream(accept) && (StringValues.IsNullOrEmpty(accept) || AcceptsJson(request));
    }

    /// <summary>Whether the client reads both, as the protocol asks of it; after <see cref="RunAsync"/> has begun it counts as such.</summary>
    public static bool AcceptsBoth(HttpRequest request) => MentionsEventStream(request.Headers.Accept) && AcceptsJson(request);

    /// <summary>Runs the rest of the request and takes the frame of the event stream off its answer.</summary>
    public static async ValueTask<object?> RunAsync(HttpContext context, Func<ValueTask<object?>> next)
    {
        context.Request.Headers.Accept = Both;
        var original = context.Response.Body;
        using var buffer = new MemoryStream();
        context.Response.Body = buffer;
        try
        {
            var result = await next();
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            await WriteAsync(context.Response, buffer, original, context.RequestAborted);
            return result;
        }
        finally
        {
            context.Response.Body = original;
        }
    }

    private static async Task WriteAsync(HttpResponse response, MemoryStream buffer, Stream original, CancellationToken cancellationToken)
    {
        buffer.Position = 0;
        if (response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) is not true)
        {
            await buffer.CopyToAsync(original, cancellationToken);
            return;
        }

        // The answer is the last event; what comes before it are notifications, which plain JSON has no place for.
        var answer = "";
        foreach (var item in SseParser.Create(buffer).Enumerate())
        {
            answer = item.Data;
        }

        response.ContentType = "application/json";
        response.Headers.Remove(HeaderNames.ContentEncoding);
        response.Headers.Remove("X-Accel-Buffering");
        var bytes = System.Text.Encoding.UTF8.GetBytes(answer);
        response.ContentLength = bytes.Length;
        await original.WriteAsync(bytes, cancellationToken);
    }

    private static bool MentionsEventStream(StringValues accept)
    {
        foreach (var value in accept)
        {
            if (value?.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase) is true)
            {
                return true;
            }
        }

        return false;
    }

    private static bool AcceptsJson(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(type => type.MatchesMediaType("application/json"));
}
