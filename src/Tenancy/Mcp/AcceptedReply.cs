using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tenancy.Mcp;

/// <summary>What a client reads, by its <c>Accept</c>.</summary>
internal static class AcceptedReply
{
    /// <summary>What the protocol asks clients to accept.</summary>
    public const string Both = "application/json, text/event-stream";

    private const string Json = "application/json";
    private const string EventStream = "text/event-stream";

    /// <summary>Whether it reads JSON and no event stream.</summary>
    public static bool IsPlainJson(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        return accept is not [Both] && (accept is [Json] || (!MentionsEventStream(accept) && (StringValues.IsNullOrEmpty(accept) || Accepts(request, Json))));
    }

    /// <summary>Whether it reads both, as the protocol asks of it.</summary>
    public static bool IsBoth(HttpRequest request) => request.Headers.Accept is [Both] || (Accepts(request, Json) && Accepts(request, EventStream));

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

    private static bool Accepts(HttpRequest request, string mediaType) => request.GetTypedHeaders().Accept.Any(type => type.MatchesMediaType(mediaType));
}
