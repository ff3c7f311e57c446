using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ModelContextProtocol;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>The revisions of the protocol that are spoken here.</summary>
internal static class ProtocolVersions
{
    /// <summary>The revision that knows no sessions, and says what it is in every message.</summary>
    public const string Modern = "2026-07-28";

    private const string HeaderName = "MCP-Protocol-Version";

    private static readonly string[] All = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", Modern];

    /// <summary>Reads the revision of a request; false where it is none of these. Empty means absent, as it does to the MCP SDK.</summary>
    public static bool TryRead(IHeaderDictionary headers, out string? version)
    {
        var sent = headers[HeaderName];
        version = sent is [{ } only] && All.Contains(only) ? only : null;
        return version is not null || StringValues.IsNullOrEmpty(sent);
    }

    /// <summary>Refuses a revision that nobody knows to a client of those without sessions.</summary>
    /// <remarks>
    /// The MCP SDK would list all revisions to it. The client is to choose one for <c>server/discover</c>, which lists those without sessions only.
    /// </remarks>
    public static Refusal? Check(HttpRequest http, McpRequest request) =>
        request.DeclaresVersion && http.Headers[HeaderName] is [{ Length: > 0 } version] && !All.Contains(version)
            ? new(StatusCodes.Status400BadRequest, "The server does not speak this revision of the protocol.", (int)McpErrorCode.UnsupportedProtocolVersion)
            {
                Data = new() { ["supported"] = new System.Text.Json.Nodes.JsonArray(Modern), ["requested"] = version },
            }
            : null;
}
