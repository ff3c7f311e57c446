using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tenancy.Mcp.Requests;

/// <summary>The form of an answer that a client reads, by its <c>Accept</c>.</summary>
internal enum AcceptedReply
{
    /// <summary>Neither form for certain.</summary>
    Unclear,

    /// <summary>An event stream, and JSON, as the protocol asks of clients.</summary>
    EventStream,

    /// <summary>JSON, and no event stream.</summary>
    Json,
}

internal static class AcceptedReplies
{
    /// <summary>What the protocol asks clients to accept.</summary>
    public const string Both = "application/json, text/event-stream";

    private const string Json = "application/json";
    private const string EventStream = "text/event-stream";

    /// <summary>Reads what a client accepts. Nothing at all means anything, and here JSON.</summary>
    public static AcceptedReply Of(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        return accept is [Both] ? AcceptedReply.EventStream
            : accept is [Json] || StringValues.IsNullOrEmpty(accept) ? AcceptedReply.Json
            : !Accepts(request, Json) ? AcceptedReply.Unclear
            : !MentionsEventStream(accept) ? AcceptedReply.Json
            : Accepts(request, EventStream) ? AcceptedReply.EventStream
            : Refuses(request, EventStream) ? AcceptedReply.Json
            : AcceptedReply.Unclear;
    }

    /// <summary>Whether a client reads event streams, as who asks for the stream of a session has to say.</summary>
    public static bool AcceptsEventStream(HttpRequest request) => Accepts(request, EventStream);

    private static bool MentionsEventStream(StringValues accept)
    {
        foreach (var value in accept)
        {
            if (value?.Contains(EventStream, StringComparison.OrdinalIgnoreCase) is true)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Accepts(HttpRequest request, string mediaType) =>
        !Refuses(request, mediaType)
        && request.GetTypedHeaders().Accept.Any(type => type.Quality is not 0 && type.MatchesMediaType(mediaType));

    // RFC 9110, section 12.4.2: a weight of 0 says what is not wanted.
    private static bool Refuses(HttpRequest request, string mediaType) =>
        request
            .GetTypedHeaders()
            .Accept.Any(type => type.Quality is 0 && type.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase));
}
