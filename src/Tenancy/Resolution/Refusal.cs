using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Tenancy.Resolution;

/// <summary>
/// An answer that refuses a request before any handler saw it: a fixed text, as problem+json (RFC 9457) or, where <see cref="McpRefusals"/>
/// writes it, as a JSON-RPC error.
/// </summary>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Detail">What is wrong and how to mend it.</param>
/// <param name="JsonRpcCode">The JSON-RPC code on MCP endpoints; null for what is answered elsewhere only.</param>
/// <param name="Reason">Why, for who describes it in the words of a protocol on top of MCP; see <see cref="IRefusalData"/>.</param>
/// <param name="RetryAfter">The seconds after which a retry makes sense.</param>
/// <param name="Name">What metrics call it: the member that makes it.</param>
internal sealed record Refusal(
    int StatusCode,
    string Detail,
    int? JsonRpcCode = null,
    RefusalReason? Reason = null,
    int? RetryAfter = null,
    [CallerMemberName] string Name = ""
)
{
    private const int InvalidRequest = -32600;
    private const int InvalidParams = -32602;

    public static Refusal ForeignHost { get; } = new(400, "No tenant may be called at this host.", InvalidRequest);

    public static Refusal NoTenant { get; } = new(400, "The request names no tenant.", InvalidRequest);

    public static Refusal UnknownTenant { get; } = new(404, "There is no such tenant.", InvalidRequest);

    public static Refusal ForeignOrigin { get; } = new(403, "This origin may not call the tenant.", InvalidRequest);

    public static Refusal ForeignAdminHost { get; } =
        new(
            400,
            "The admin API answers at the hosts of Tenancy:PublicUrl, Tenancy:BaseDomain and Tenancy:Admin:AllowedHosts, and not at "
                + "this one."
        );

    public static Refusal ForeignAdminOrigin { get; } =
        new(403, "This origin may not call the admin API: Tenancy:AllowedOrigins has those that may.");

    public static Refusal AdminFailed(string reference) =>
        new(500, $"The request failed for a reason that nobody foresaw: the server's log has it. Reference: {reference}");

    public static Refusal NotSetUp { get; } = new(500, "The server is not set up to serve this: its log says why.");

    public static Refusal BadAdminRequest(int statusCode, string detail) => new(statusCode, detail);

    public static Refusal TenantUnavailable { get; } =
        new(503, "The tenant is not available now.", -32027, RefusalReason.Unavailable, RetryAfter: 30);

    public static Refusal StoreUnavailable { get; } =
        new(503, "The server's store is not available now.", -32027, RefusalReason.Unavailable, RetryAfter: 2);

    public static Refusal IssuerUnavailable { get; } =
        new(503, "The tenant's identity provider is not available now.", -32027, RefusalReason.Unavailable, RetryAfter: 5);

    public static Refusal NotLoaded { get; } = new(503, "The server is starting.", -32027, RefusalReason.Unavailable, RetryAfter: 2);

    public static Refusal NoCredentials { get; } = new(401, "Credentials are required.", -32028, RefusalReason.NoCredentials);

    public static Refusal BadCredentials { get; } = new(401, "The credentials are not valid here.", -32028, RefusalReason.BadCredentials);

    public static Refusal NotAllowed { get; } = new(403, "The caller is not allowed to do this.", -32028, RefusalReason.ScopeMissing);

    public static Refusal UnlistedClient { get; } =
        new(
            403,
            "The client that the token was issued to is none of those that may call the tenant.",
            -32028,
            RefusalReason.ClientNotListed
        );

    public static Refusal TooManyCalls { get; } =
        new(429, "The tenant, or this caller of it, has as many calls under way as it may.", -32029, RefusalReason.TooMany, RetryAfter: 1);

    public static Refusal TooManySessions { get; } =
        new(
            429,
            "There are as many sessions as there may be: the tenant may have limits.maxSessions of them, and one caller half of that, "
                + "rounded up. End one, or close the stream of one that is not needed, or wait until one that is not used expires.",
            -32029,
            RefusalReason.TooMany,
            RetryAfter: 60
        );

    public static Refusal NoEndpoint(string place) => new(404, $"Nothing is served here. MCP is spoken at {place}.", InvalidRequest);

    public static Refusal NoSession { get; } = new(404, "There is no such session.", -32001);

    public static Refusal NoSuchRequest { get; } =
        new(
            400,
            "Nothing was cancelled: no node runs such a request of this session. Without a session, close the connection of the request.",
            -32600
        );

    public static Refusal NoSuchQuestion { get; } =
        new(400, "Nobody waits for this answer: no node has asked that in this session, or it has given it up.", -32600);

    public static Refusal NoLogLevel { get; } =
        new(400, "The log level was not set: it is kept for a session, and the request names none.", -32600);

    public static Refusal TooLargeToDeliver { get; } =
        new(
            413,
            "Another node may wait for this, and it is too large to be passed on: 256 KiB is the most. Send it to the node that "
                + "asked, such as by routing by Mcp-Session-Id.",
            -32600
        );

    public static Refusal NoMetadata { get; } = new(404, "There is no OAuth metadata for this URL.");

    public static Refusal TooLarge { get; } = new(413, "The request's body is too large.", InvalidRequest);

    public static Refusal SlowBody { get; } =
        new(408, "The request's body took too long to arrive: send it again, faster.", InvalidRequest);

    public static Refusal TooManyBodies { get; } =
        new(
            503,
            "There are as many large requests under way as there may be: send it again later.",
            -32027,
            RefusalReason.Unavailable,
            RetryAfter: 1
        );

    public static Refusal TenantChanged { get; } =
        new(503, "The tenant has changed meanwhile: call again.", -32027, RefusalReason.Unavailable, RetryAfter: 1);

    public static Refusal NoStream { get; } =
        new(405, "Without a session there is nothing here to GET or DELETE: send messages by POST.", InvalidRequest) { Allow = "POST" };

    public static Refusal NotAcceptable { get; } =
        new(406, "The answer is JSON or an event stream: send Accept: application/json, text/event-stream.", InvalidRequest);

    public static Refusal NotAStreamReader { get; } =
        new(406, "The answer is an event stream: send Accept: text/event-stream.", InvalidRequest);

    public static Refusal UnsupportedContent { get; } =
        new(415, "The body must be JSON as it is: send Content-Type: application/json, and no Content-Encoding.", InvalidRequest);

    public static Refusal BrokenBody { get; } = new(400, "The request's body ends early, or is not framed as HTTP says.", InvalidRequest);

    public static Refusal BadJson { get; } =
        new(400, "The body is not one JSON text of 64 levels at most in UTF-8, or a text in it has half a surrogate pair.", -32700);

    public static Refusal BadInitialize { get; } =
        new(
            400,
            "The parameters of initialize cannot be read: send protocolVersion, capabilities and clientInfo with a name and a version.",
            InvalidParams
        );

    public static Refusal AmbiguousJson { get; } =
        new(400, "The body has a JSON key twice, or in a spelling that differs by case only.", InvalidRequest);

    public static Refusal BadMessage(string reason) => new(400, $"The body is no JSON-RPC message: {reason}.", InvalidRequest);

    public static Refusal BadParameters(string reason) => new(400, reason, InvalidParams);

    // Most clients show their user the text, and neither the header nor the data, which say it, too.
    public static Refusal TooManyRequests(int retryAfter)
    {
        var seconds = Math.Max(1, retryAfter);
        var wait = seconds == 1 ? "a second" : $"{seconds} seconds";
        return new(429, $"There were too many requests: try again in {wait}.", -32029, RefusalReason.TooMany, seconds);
    }

    public static Refusal InsufficientScope(IReadOnlyList<string> scopes) =>
        new(403, $"The credentials lack the scope {string.Join(' ', scopes)}.", -32028, RefusalReason.ScopeMissing) { Scopes = scopes };

    public static Refusal Contradiction(string reason) => new(400, reason, InvalidRequest);

    /// <summary>The JSON-RPC error's data, where the MCP protocol says what is in it.</summary>
    public JsonObject? Data { get; init; }

    /// <summary>The scopes that the credentials lack, for the challenge.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The methods that are taken here, where the request's is not.</summary>
    public string? Allow { get; init; }

    /// <summary>Writes the answer as problem+json. The tenant's own data never enters it.</summary>
    public Task WriteAsync(HttpContext context) =>
        WriteAsync(
            context,
            "application/problem+json",
            new()
            {
                ["title"] = ReasonPhrases.GetReasonPhrase(StatusCode),
                ["status"] = StatusCode,
                ["detail"] = Detail,
            }
        );

    /// <summary>Writes the answer with a body in another form.</summary>
    public async Task WriteAsync(HttpContext context, string contentType, JsonObject body)
    {
        var response = context.Response;
        response.StatusCode = StatusCode;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        if (Allow is not null)
        {
            response.Headers.Allow = Allow;
        }

        if (StatusCode != StatusCodes.Status408RequestTimeout)
        {
            UnreadBodies.Mark(context);
        }
        else if (HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            // RFC 9110, section 15.5.9: what may still come is no longer waited for.
            response.Headers.Connection = "close";
        }

        if (RetryAfter is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await using var writer = new Utf8JsonWriter(response.BodyWriter);
        body.WriteTo(writer);
        await writer.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }
}
