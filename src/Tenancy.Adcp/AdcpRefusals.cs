using System.Text.Json.Nodes;
using Tenancy.Resolution;

namespace Tenancy.Adcp;

/// <summary>AdCP's words for what is refused before any handler sees it: an <c>adcp_error</c> in the JSON-RPC error's data.</summary>
internal sealed class AdcpRefusals : IRefusalData
{
    public JsonObject Describe(RefusalReason reason, string message, int? retryAfter)
    {
        var told = reason switch
        {
            RefusalReason.Unavailable => AdcpError.ServiceUnavailable,
            RefusalReason.TooMany => AdcpError.RateLimited,
            _ => AdcpError.AuthRequired,
        };
        var error = new JsonObject
        {
            ["code"] = told.Code,
            ["message"] = message,
            ["recovery"] = told.Recovery,
        };
        if (retryAfter is { } seconds)
        {
            error["retry_after"] = seconds;
        }

        return new() { ["adcp_error"] = error };
    }
}
