using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp;

/// <summary>A <c>tools/call</c> or <c>tools/list</c> in which nothing is unusual, as the MCP SDK has it. What is unusual is left to the SDK.</summary>
/// <param name="Message">The message.</param>
/// <param name="Version">The protocol version that its <c>_meta</c> declares, with the client's capabilities; null where it declares nothing.</param>
internal sealed record PlainRequest(JsonRpcRequest Message, string? Version)
{
    private const int MaxClientInfo = 512;

    /// <summary>Takes a message that was read strictly. Null where it is not plain.</summary>
    public static PlainRequest? From(JsonElement root)
    {
        RequestId id = default;
        string? method = null;
        JsonElement parameters = default;
        var isJsonRpc = false;
        foreach (var member in root.EnumerateObject())
        {
            if (member.NameEquals("jsonrpc"u8))
            {
                isJsonRpc = member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals("2.0"u8);
            }
            else if (member.NameEquals("id"u8))
            {
                id = ReadId(member.Value);
            }
            else if (member.NameEquals("method"u8))
            {
                method = ReadMethod(member.Value);
            }
            else if (member.NameEquals("params"u8))
            {
                parameters = member.Value;
            }
            else
            {
                return null;
            }
        }

        return isJsonRpc && id.Id is not null && method is not null && IsPlain(method, parameters, out var version)
            ? new(new() { Id = id, Method = method, Params = parameters.ValueKind == JsonValueKind.Object ? JsonObject.Create(parameters.Clone()) : null }, version)
            : null;
    }

    private static RequestId ReadId(JsonElement id) => id.ValueKind switch
    {
        JsonValueKind.String => new(id.GetString()!),
        JsonValueKind.Number when id.TryGetInt64(out var number) => new(number),
        _ => default,
    };

    private static string? ReadMethod(JsonElement method) =>
        method.ValueKind != JsonValueKind.String ? null
        : method.ValueEquals("tools/call"u8) ? RequestMethods.ToolsCall
        : method.ValueEquals("tools/list"u8) ? RequestMethods.ToolsList
        : null;

    private static bool IsPlain(string method, JsonElement parameters, out string? version)
    {
        version = null;
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            return parameters.ValueKind == JsonValueKind.Undefined && method == RequestMethods.ToolsList;
        }

        var hasName = false;
        foreach (var member in parameters.EnumerateObject())
        {
            if (member.NameEquals("_meta"u8))
            {
                if (!IsPlainMeta(member.Value, out version))
                {
                    return false;
                }
            }
            else if (member.NameEquals("name"u8))
            {
                hasName = member.Value.ValueKind == JsonValueKind.String;
            }
            else if (!member.NameEquals("arguments"u8) && !member.NameEquals("cursor"u8))
            {
                // A task, an answer to a question of the server's, or what a later revision brings.
                return false;
            }
        }

        return hasName || method == RequestMethods.ToolsList;
    }

    // Before 2026-07-28 nothing reserved means anything; since then the version and the capabilities have to be there.
    private static bool IsPlainMeta(JsonElement meta, out string? version)
    {
        version = null;
        if (meta.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        var (hasReserved, hasCapabilities) = (false, false);
        foreach (var member in meta.EnumerateObject())
        {
            if (member.NameEquals("io.modelcontextprotocol/protocolVersion"u8))
            {
                version = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : null;
                hasReserved = true;
            }
            else if (member.NameEquals("io.modelcontextprotocol/clientCapabilities"u8))
            {
                hasCapabilities = member.Value.ValueKind == JsonValueKind.Object;
                hasReserved = true;
            }
            else if (member.NameEquals("io.modelcontextprotocol/clientInfo"u8))
            {
                // The server that serves the message names the client in its log, until another comes.
                if (JsonMarshal.GetRawUtf8Value(member.Value).Length > MaxClientInfo)
                {
                    return false;
                }

                hasReserved = true;
            }
            else
            {
                // A name that is written with escapes is none that a client writes.
                var name = JsonMarshal.GetRawUtf8PropertyName(member);
                hasReserved |= name.StartsWith("io.modelcontextprotocol/"u8) || name.Contains((byte)'\\');
            }
        }

        return !hasReserved || (version is not null && hasCapabilities);
    }
}
