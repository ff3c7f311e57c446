using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Tenancy.Mcp.Requests;

/// <summary>Whether the head of a request says that its body is JSON, as it is.</summary>
internal static class JsonBody
{
    /// <summary>What all that is let through is, whatever it was called.</summary>
    public const string Json = "application/json";

    public static bool Is(HttpRequest request) =>
        (request.ContentType is Json || IsJson(request.Headers.ContentType)) && IsUnpacked(request.Headers.ContentEncoding);

    private static bool IsJson(StringValues sent) =>
        sent is [{ } only]
        && MediaTypeHeaderValue.TryParse(only, out var type)
        && (type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase) || IsJsonByName(type.MediaType))
        && IsUtf8(HeaderUtilities.RemoveQuotes(type.Charset));

    // RFC 8259, section 8.1: between systems JSON is UTF-8, whether that is said or not.
    private static bool IsUtf8(StringSegment charset) =>
        StringSegment.IsNullOrEmpty(charset)
        || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        || charset.Equals("utf8", StringComparison.OrdinalIgnoreCase);

    // RFC 6839, section 3.1: what is JSON, and something more.
    private static bool IsJsonByName(StringSegment name) =>
        name.StartsWith("application/", StringComparison.OrdinalIgnoreCase) && name.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    private static bool IsUnpacked(StringValues encoding) =>
        StringValues.IsNullOrEmpty(encoding) || encoding is [{ } only] && only.Equals("identity", StringComparison.OrdinalIgnoreCase);
}
