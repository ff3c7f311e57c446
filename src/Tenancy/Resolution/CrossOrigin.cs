using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Tenancy.Resolution;

/// <summary>
/// What browsers ask for and are told (the Fetch standard, CORS protocol). Who may call is decided before, by <see cref="AllowedOrigins"/>.
/// </summary>
internal static class CrossOrigin
{
    private const string Methods = "GET, POST, DELETE";
    private const string RequestHeaders =
        "Accept, Authorization, Content-Type, Last-Event-ID, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, "
        + "traceparent, tracestate, baggage, "
        + TenantResolver.HeaderName;
    private const string ResponseHeaders = "Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";
    private const string MaxAge = "600";

    // Each tool names its own (MCP 2026-07-28): a parameter that travels as a header, too.
    private const string ParameterPrefix = "Mcp-Param-";

    /// <summary>
    /// Whether a browser asks what it may send. It does so without credentials, and without the headers that it asks about.
    /// </summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method)
        && request.Headers.Origin.Count == 1
        && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>Lets the page read the answer, whatever it becomes.</summary>
    public static void Allow(HttpContext context, string origin)
    {
        context.Response.OnStarting(
            static state =>
            {
                var (response, origin) = ((HttpResponse, string))state;
                response.Headers[HeaderNames.AccessControlAllowOrigin] = origin;
                response.Headers[HeaderNames.AccessControlExposeHeaders] = ResponseHeaders;
                response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
                return Task.CompletedTask;
            },
            (context.Response, origin)
        );
    }

    /// <summary>Answers a browser that asks.</summary>
    /// <param name="context">The request.</param>
    /// <param name="others">The names of headers that the page may send beside those of MCP.</param>
    public static void Answer(HttpContext context, IReadOnlyList<string> others)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status204NoContent;
        response.Headers[HeaderNames.AccessControlAllowMethods] = Methods;
        response.Headers[HeaderNames.AccessControlAllowHeaders] = string.Join(
            ", ",
            context
                .Request.Headers.GetCommaSeparatedValues(HeaderNames.AccessControlRequestHeaders)
                .Where(IsParameter)
                .Concat(others)
                .Prepend(RequestHeaders)
        );
        response.Headers[HeaderNames.AccessControlMaxAge] = MaxAge;
    }

    // The header is repeated in the answer, so that it is looked at letter by letter.
    private static bool IsParameter(string name) =>
        name.StartsWith(ParameterPrefix, StringComparison.OrdinalIgnoreCase)
        && name.Length < 128
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
