using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Direct;

/// <summary>What handlers throw, in the MCP protocol's words: as the MCP SDK puts it.</summary>
internal static class ProtocolErrors
{
    /// <summary>An error of the tool. Only what was thrown for the caller to read is told.</summary>
    public static CallToolResult ToResult(string tool, Exception exception, string? reference = null) =>
        new() { IsError = true, Content = [new TextContentBlock { Text = FailureText.Of(tool, exception, reference) }] };

    /// <summary>An error of the protocol.</summary>
    public static JsonRpcErrorDetail Describe(McpProtocolException exception) =>
        new()
        {
            Code = (int)exception.ErrorCode,
            Message = exception.Message,
            Data = exception switch
            {
                UrlElicitationRequiredException url => Data("elicitations", url.Elicitations),
                MissingRequiredClientCapabilityException missing => Data("requiredCapabilities", missing.RequiredCapabilities),
                UnsupportedProtocolVersionException version => new JsonObject
                {
                    ["supported"] = Node(version.Supported),
                    ["requested"] = version.Requested,
                },
                _ => Data(exception.Data),
            },
        };

    private static JsonObject Data(string name, object value) => new() { [name] = Node(value) };

    private static JsonNode? Node(object value) =>
        JsonSerializer.SerializeToNode(value, McpJsonUtilities.DefaultOptions.GetTypeInfo(value.GetType()));

    private static Dictionary<string, object?>? Data(IDictionary data)
    {
        if (data.Count == 0)
        {
            return null;
        }

        Dictionary<string, object?> described = [];
        foreach (DictionaryEntry entry in data)
        {
            if (entry.Key is string name && TryNode(entry.Value, out var node))
            {
                described[name] = node;
            }
        }

        return described;
    }

    // What has no JSON form is left out.
    private static bool TryNode(object? value, out JsonNode? node)
    {
        node = null;
        try
        {
            node = value is null ? null : Node(value);
            return true;
        }
        catch (Exception exception) when (exception is NotSupportedException or JsonException)
        {
            return false;
        }
    }
}
