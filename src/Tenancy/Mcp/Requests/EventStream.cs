using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tenancy.Mcp.Requests;

/// <summary>An event stream (Server-Sent Events, HTML Living Standard, section 9.2), as the MCP SDK writes it, too.</summary>
internal static class EventStream
{
    /// <summary>What stands before a message.</summary>
    public static ReadOnlySpan<byte> MessageStart => "event: message\ndata: "u8;

    /// <summary>What stands after a message, and after a comment.</summary>
    public static ReadOnlySpan<byte> EventEnd => "\n\n"u8;

    /// <summary>A line that clients skip. It tells all that stand in between that somebody is there.</summary>
    public static ReadOnlySpan<byte> Comment => ": \n\n"u8;

    /// <summary>Makes an answer an event stream that nobody in between holds back or changes.</summary>
    public static void Begin(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentType = "text/event-stream";
        headers.CacheControl = "no-cache,no-store";
        headers.ContentEncoding = "identity";
        headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Has each write sent as it is.</summary>
    public static void DisableBuffering(HttpContext http) => http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
}
