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
        + TenantResolver.HeaderName;
    private const string ResponseHeaders = "Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";
    private const string MaxAge = "600";

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
    public static void Answer(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status204NoContent;
        response.Headers[HeaderNames.AccessControlAllowMethods] = Methods;
        response.Headers[HeaderNames.AccessControlAllowHeaders] = RequestHeaders;
        response.Headers[HeaderNames.AccessControlMaxAge] = MaxAge;
    }
}
