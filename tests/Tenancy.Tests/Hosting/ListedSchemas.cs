using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>Looks through what a server lists for what clients refuse.</summary>
internal static class ListedSchemas
{
    private static readonly string[] Single =
    [
        "items",
        "additionalProperties",
        "contains",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
    ];

    private static readonly string[] Several = ["anyOf", "oneOf", "allOf", "prefixItems"];
    private static readonly string[] Named = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

    /// <summary>What is wrong with the schemas of listed tools; each with its place.</summary>
    public static IEnumerable<string> MistakesOfTools(JsonNode result) =>
        result["tools"]!
            .AsArray()
            .SelectMany(tool =>
                new[] { "inputSchema", "outputSchema" }
                    .Where(schema => tool![schema] is not null)
                    .SelectMany(schema => MistakesOfRoot(tool![schema]!, $"{tool["name"]} {schema}"))
            );

    /// <summary>
    /// What is wrong with listed prompts, resources or templates: whatever says no name, or takes an argument without one.
    /// </summary>
    public static IEnumerable<string> MistakesOfOthers(JsonNode result, string kind) =>
        from one in result[kind]!.AsArray()
        where
            string.IsNullOrEmpty((string?)one!["name"])
            || (one["arguments"] as JsonArray)?.Any(argument => string.IsNullOrEmpty((string?)argument!["name"])) is true
            || (kind == "resources" && !Uri.TryCreate((string?)one["uri"], UriKind.Absolute, out _))
        select $"{kind}: {one!.ToJsonString()}";

    private static IEnumerable<string> MistakesOfRoot(JsonNode schema, string place)
    {
        if (schema["type"]?.ToString() is not "object" && place.EndsWith("inputSchema", StringComparison.Ordinal))
        {
            yield return $"{place}: is no object";
        }

        foreach (var mistake in Mistakes(schema, place))
        {
            yield return mistake;
        }
    }

    private static IEnumerable<string> Mistakes(JsonNode? node, string place)
    {
        if (node is not JsonObject schema)
        {
            return [$"{place}: is {node?.ToJsonString() ?? "null"} and no object"];
        }

        return MistakesHere(schema, place)
            .Concat(
                Single
                    .Where(name =>
                        schema.ContainsKey(name) && !(name == "additionalProperties" && schema[name]!.GetValueKind() == JsonValueKind.False)
                    )
                    .SelectMany(name => Mistakes(schema[name], $"{place}/{name}"))
            )
            .Concat(
                from name in Several
                where schema.ContainsKey(name)
                from mistake in schema[name]!.AsArray().SelectMany((one, i) => Mistakes(one, $"{place}/{name}/{i}"))
                select mistake
            )
            .Concat(
                from name in Named
                where schema.ContainsKey(name)
                from mistake in schema[name]!.AsObject().SelectMany(member => Mistakes(member.Value, $"{place}/{name}/{member.Key}"))
                select mistake
            );
    }

    private static IEnumerable<string> MistakesHere(JsonObject schema, string place)
    {
        if (Types(schema).Contains("array") && schema["items"] is not JsonObject)
        {
            yield return $"{place}: is a list without items";
        }

        if (schema["enum"] is JsonArray values && values.Select(value => value?.ToJsonString() ?? "null").Distinct().Count() < values.Count)
        {
            yield return $"{place}: says a value twice";
        }

        var required = (schema["required"] as JsonArray)?.Select(name => name!.ToString()).ToHashSet() ?? [];
        foreach (var (name, member) in schema["properties"] as JsonObject ?? [])
        {
            if (member is JsonObject optional && !required.Contains(name) && (Types(optional).Length > 1 || MayBeNull(optional)))
            {
                yield return $"{place}/{name}: may be left out, and be null or several things, too: {optional.ToJsonString()}";
            }
        }

        foreach (var name in required.Where(name => schema["properties"]?[name] is null))
        {
            yield return $"{place}/{name}: is required and not described";
        }
    }

    private static bool MayBeNull(JsonObject schema) =>
        (schema["enum"] as JsonArray)?.Any(value => value is null) is true
        || (schema["anyOf"] as JsonArray)?.Any(one => one is JsonObject only && Types(only).Contains("null")) is true
        || (schema.TryGetPropertyValue("default", out var value) && value is null);

    private static string[] Types(JsonObject schema) =>
        schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => type!.ToString())],
            JsonValue one => [one.ToString()],
            _ => [],
        };
}
