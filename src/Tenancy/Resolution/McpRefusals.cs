using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>Writes refusals as MCP endpoints have them: as JSON-RPC errors, where they have a code, else as problem+json.</summary>
/// <param name="words">What a protocol on top of MCP says of them; null where there is none.</param>
internal sealed class McpRefusals(IRefusalData? words = null)
{
    /// <summary>Writes the answer.</summary>
    /// <param name="context">The request.</param>
    /// <param name="refusal">Why it is refused.</param>
    /// <param name="id">The id of its message; null where it is not known.</param>
    public Task WriteAsync(HttpContext context, Refusal refusal, JsonNode? id = null) =>
        refusal.JsonRpcCode is not null
            ? refusal.WriteAsync(context, "application/json", Message(Describe(refusal), id))
            : refusal.WriteAsync(context);

    /// <summary>The JSON-RPC error that says why a request is refused.</summary>
    public JsonObject Describe(Refusal refusal)
    {
        var error = new JsonObject { ["code"] = refusal.JsonRpcCode, ["message"] = refusal.Detail };
        if (refusal.Data is { } data)
        {
            error["data"] = data.DeepClone();
        }
        else if (refusal.Reason is { } reason && words is not null)
        {
            error["data"] = words.Describe(reason, refusal.Detail, refusal.RetryAfter);
        }

        return error;
    }

    // An id that is not known is left out: no client takes null for one (findings/mcp-typescript-clients-null-id.sh).
    private static JsonObject Message(JsonObject error, JsonNode? id) =>
        id is null
            ? new() { ["jsonrpc"] = "2.0", ["error"] = error }
            : new()
            {
                ["jsonrpc"] = "2.0",
                ["id"] = id,
                ["error"] = error,
            };
}
