using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>Before 2026-07-28 the output of a tool was an object: what is none stands in one, as its <c>result</c>.</summary>
/// <remarks>
/// The MCP SDK puts the results of its own tools there, but describes them so in lists of its own tools only, and not of those that run
/// them, as <see cref="MethodTool"/> does.
/// </remarks>
internal static class ObjectOutput
{
    private const string Place = "#/properties/result";
    private static readonly JsonTypeInfo<Tool> ToolType = (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));

    /// <summary>Describes a tool to clients before 2026-07-28.</summary>
    public static Tool Describe(Tool tool)
    {
        var json = JsonSerializer.SerializeToNode(tool, ToolType)!;
        if (tool.OutputSchema is null || IsObject(json["outputSchema"]))
        {
            return tool;
        }

        json["outputSchema"] = ToObject(json["outputSchema"]);
        return json.Deserialize(ToolType)!;
    }

    private static bool IsObject(JsonNode? schema) =>
        schema is JsonObject { } all && all["type"] is JsonValue type && type.ToString() == "object";

    private static JsonObject ToObject(JsonNode? schema)
    {
        var copy = schema?.DeepClone();
        if (
            copy is JsonObject all
            && all["type"] is JsonArray types
            && types.Select(type => type?.ToString()).Order(StringComparer.Ordinal).SequenceEqual(["null", "object"])
        )
        {
            all["type"] = "object";
            return all;
        }

        MoveReferences(copy);
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["result"] = copy },
            ["required"] = new JsonArray("result"),
        };
    }

    // What points into the schema starts at its root, which is a level further up now.
    private static void MoveReferences(JsonNode? node)
    {
        foreach (var child in node is JsonObject properties ? properties.Select(property => property.Value) : node as JsonArray ?? [])
        {
            MoveReferences(child);
        }

        if (node is JsonObject schema && schema["$ref"] is JsonValue reference && reference.ToString() is ['#', ..] target)
        {
            schema["$ref"] = Place + target[1..];
        }
    }
}
