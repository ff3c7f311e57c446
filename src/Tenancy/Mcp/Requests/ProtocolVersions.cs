using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ModelContextProtocol;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Requests;

/// <summary>The revisions of the protocol that are spoken here.</summary>
internal static class ProtocolVersions
{
    /// <summary>The revision that knows no sessions, and says what it is in every message.</summary>
    public const string Modern = "2026-07-28";

    /// <summary>The first revision; only the MCP SDK speaks it.</summary>
    public const string First = "2024-11-05";

    /// <summary>The last revision with sessions.</summary>
    private const string LastWithSessions = "2025-11-25";

    private const string HeaderName = "MCP-Protocol-Version";

    private static readonly string[] All = [First, "2025-03-26", "2025-06-18", LastWithSessions, Modern];

    /// <summary>Reads the revision that the head of a request names. Empty means absent, as it does to the MCP SDK.</summary>
    /// <returns>False where it is none of those that are spoken here.</returns>
    public static bool TryRead(IHeaderDictionary headers, out string? version)
    {
        var sent = headers[HeaderName];
        version = sent is [{ } only] ? Known(only) : null;
        return version is not null || StringValues.IsNullOrEmpty(sent);
    }

    /// <summary>The text of a revision that is spoken here; null for another.</summary>
    public static string? Known(string? version)
    {
        foreach (var known in All)
        {
            if (known == version)
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>
    /// The revision to agree on with a client that asks for a session in a later one: a server offers the latest that it has then (MCP
    /// 2025-11-25, lifecycle).
    /// </summary>
    public static string? Agree(string? requested) => string.CompareOrdinal(requested, LastWithSessions) > 0 ? LastWithSessions : requested;

    /// <summary>Refuses a revision that is not spoken here.</summary>
    /// <remarks>
    /// The answer lists the revisions to choose from. A message that declares its own revision comes from a client that has no sessions: it
    /// is offered only the revision without sessions, as in the answer to <c>server/discover</c>.
    /// </remarks>
    public static Refusal? Check(McpRequest request) =>
        request.HasKnownVersion
            ? null
            : new(
                StatusCodes.Status400BadRequest,
                "The server does not speak this revision of the protocol.",
                (int)McpErrorCode.UnsupportedProtocolVersion,
                Name: "UnsupportedVersion"
            )
            {
                Data = new()
                {
                    ["supported"] = new JsonArray([
                        .. (request.Head.DeclaresVersion ? [Modern] : All).Select(one => JsonValue.Create(one)),
                    ]),
                    ["requested"] = request.Http.Request.Headers[HeaderName].ToString(),
                },
            };
}
