using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tenancy.Mcp.Requests;

namespace Tenancy.Mcp.Sdk;

/// <summary>What the MCP SDK writes into a response: events with a message each, or plain JSON where it refuses.</summary>
internal static class SdkOutput
{
    /// <summary>Whether a message is the answer. A look is enough: one that is not known is sent at once, as everything else is.</summary>
    public static bool IsAnswer(ReadOnlySpan<byte> message) => message.StartsWith("{\"result\""u8) || message.StartsWith("{\"error\""u8);

    /// <summary>The message of an event; empty where something else was written.</summary>
    public static ReadOnlySpan<byte> MessageOf(ReadOnlySpan<byte> written) =>
        written.StartsWith(EventStream.MessageStart) ? written[EventStream.MessageStart.Length..] : default;

    /// <summary>Whether a response is an event stream.</summary>
    public static bool IsEventStream(HttpResponse response) =>
        response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) is true;

    /// <summary>Takes back what the SDK said in the head of a response that is no event stream any more.</summary>
    public static void ForgetEventStream(HttpResponse response)
    {
        response.ContentLength = null;
        response.Headers.Remove(HeaderNames.ContentEncoding);
        response.Headers.Remove("X-Accel-Buffering");
    }

    /// <summary>
    /// The last message of events. What comes before it are notifications, which plain JSON has no place for. JSON as it is written here
    /// has no line ends in it.
    /// </summary>
    public static ReadOnlyMemory<byte> LastMessage(ReadOnlyMemory<byte> events)
    {
        var start = events.Span.LastIndexOf("\ndata: "u8);
        var message = start < 0 ? default : events[(start + "\ndata: "u8.Length)..];
        var end = message.Span.IndexOf((byte)'\n');
        return end < 0 ? message : message[..end];
    }

    /// <summary>A refusal without an id that is null because it is not known: no client reads that (MCP, JSON-RPC messages).</summary>
    public static ReadOnlyMemory<byte> WithoutUnknownId(ReadOnlyMemory<byte> written)
    {
        try
        {
            if (JsonNode.Parse(written.Span) is not JsonObject error || !error.TryGetPropertyValue("id", out var id) || id is not null)
            {
                return written;
            }

            error.Remove("id");
            return JsonSerializer.SerializeToUtf8Bytes(error);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            // Whoever has refused did so in a form of its own: text, a name that stands twice, bytes that are no UTF-8.
            return written;
        }
    }
}
