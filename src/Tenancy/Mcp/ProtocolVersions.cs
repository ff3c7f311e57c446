using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>The revisions of the protocol that are spoken here.</summary>
internal static class ProtocolVersions
{
    private const string HeaderName = "MCP-Protocol-Version";

    private static readonly string[] WithSessions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
    private static readonly string[] WithoutSessions = ["2026-07-28"];

    /// <summary>Refuses a revision that nobody knows to a client of those without sessions.</summary>
    /// <remarks>
    /// The MCP SDK would list all revisions to it. The client is to choose one for <c>server/discover</c>, which lists those without sessions only.
    /// </remarks>
    public static Refusal? Check(HttpRequest http, McpRequest request) =>
        request.DeclaresVersion && http.Headers[HeaderName] is [{ Length: > 0 } version] && !WithoutSessions.Contains(version) && !WithSessions.Contains(version)
            ? new(StatusCodes.Status400BadRequest, "The server does not speak this revision of the protocol.", (int)McpErrorCode.UnsupportedProtocolVersion)
            {
                Data = new() { ["supported"] = new System.Text.Json.Nodes.JsonArray([.. WithoutSessions]), ["requested"] = version },
            }
            : null;
}
