using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Before 2026-07-28 the structured output of a tool had to be an object. A tool that gives something else, such as a list, describes an
/// object to such clients, with what it gives in the member <c>result</c>.
/// </summary>
/// <remarks>
/// The MCP SDK wraps the results in this way for every tool, but the descriptions only for tools of its own classes. <see
/// cref="MethodTool"/> is a class of this library around such a tool, and has to describe it itself.
/// </remarks>
internal static class ObjectOutput
{
    private const string Place = "#/properties/result";
    private static readonly JsonTypeInfo<Tool> ToolType = (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));

    /// <summary>
    /// Describes a tool to clients. Of a result that may be null no schema is listed: where it is null the MCP SDK sends no structured
    /// content, and a client that knows a schema takes that for a failure.
    /// </summary>
    public static Tool WithoutNull(Tool tool)
    {
        var json = JsonSerializer.SerializeToNode(tool, ToolType)!.AsObject();
        return MayBeNull(json["outputSchema"]) ? WithoutSchema(json) : tool;
    }

    /// <summary>Describes a tool to clients before 2026-07-28.</summary>
    public static Tool Describe(Tool tool)
    {
        var json = JsonSerializer.SerializeToNode(tool, ToolType)!.AsObject();
        if (tool.OutputSchema is null || IsObject(json["outputSchema"]))
        {
            return tool;
        }

        if (IsObjectOrNull(json["outputSchema"]))
        {
            return WithoutSchema(json);
        }

        json["outputSchema"] = ToObject(json["outputSchema"]);
        return json.Deserialize(ToolType)!;
    }

    /// <summary>Whether what a tool gives has to be put into an object for such clients.</summary>
    public static bool MustWrap(JsonElement schema) =>
        JsonSerializer.SerializeToNode(schema, ToolJson.Default.JsonElement) is var node && !IsObject(node) && !IsObjectOrNull(node);

    private static bool IsObject(JsonNode? schema) =>
        schema is JsonObject { } all && all["type"] is JsonValue type && type.ToString() == "object";

    private static Tool WithoutSchema(JsonObject tool)
    {
        tool.Remove("outputSchema");
        return tool.Deserialize(ToolType)!;
    }

    private static bool MayBeNull(JsonNode? schema) =>
        schema is JsonObject all
        && (
            all["type"] is JsonArray types && types.Any(type => type?.ToString() == "null")
            || all["anyOf"] is JsonArray any
                && any.Any(one => one is JsonObject only && only["type"] is JsonValue type && type.ToString() == "null")
        );

    private static JsonObject ToObject(JsonNode? schema)
    {
        var copy = schema?.DeepClone();
        MoveReferences(copy);
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["result"] = copy },
            ["required"] = new JsonArray("result"),
        };
    }

    private static bool IsObjectOrNull(JsonNode? schema) =>
        schema is JsonObject all
        && all["type"] is JsonArray types
        && types.Select(type => type?.ToString()).Order(StringComparer.Ordinal).SequenceEqual(["null", "object"]);

    // What points into the schema starts at its root, which is a level further up now. Where a schema has a URL of its own, that is where
    // its references start; and a schema that is called by its name is found wherever it lies.
    private static void MoveReferences(JsonNode? node)
    {
        if (node is JsonObject whole && whole["$id"] is JsonValue)
        {
            return;
        }

        foreach (var child in node is JsonObject properties ? properties.Select(property => property.Value) : node as JsonArray ?? [])
        {
            MoveReferences(child);
        }

        if (node is JsonObject schema && schema["$ref"] is JsonValue reference && reference.ToString() is "#" or ['#', '/', ..])
        {
            schema["$ref"] = Place + reference.ToString()[1..];
        }
    }
}
