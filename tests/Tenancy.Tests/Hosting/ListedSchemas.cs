using System.Globalization;
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

        foreach (var note in schema.Where(rule => rule.Key.StartsWith("x-tenancy", StringComparison.Ordinal)))
        {
            yield return $"{place}: has a note of the library's own, {note.Key}";
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

    /// <summary>Fails where a value does not agree with its schema, as clients that compare the two see it.</summary>
    public static void AssertAgrees(JsonNode schema, JsonNode? value) => AssertAgrees(schema, schema, value, "");

    private static void AssertAgrees(JsonNode root, JsonNode schema, JsonNode? value, string place)
    {
        var all = schema.AsObject();
        if (all["$ref"]?.ToString() is { } reference)
        {
            var found = reference[1..]
                .Split('/', StringSplitOptions.RemoveEmptyEntries)
                .Aggregate(root, (one, name) => one is JsonArray list ? list[int.Parse(name, CultureInfo.InvariantCulture)]! : one[name]!);
            AssertAgrees(root, found, value, place);
        }

        var kind = value?.GetValueKind() ?? JsonValueKind.Null;
        if (Types(all) is { Length: > 0 } types)
        {
            Assert.True(types.Any(type => IsOf(type, kind, value)), $"{place}: {value?.ToJsonString() ?? "null"} is no {schema}");
        }

        if (all["enum"] is JsonArray values)
        {
            Assert.True(values.Any(one => JsonNode.DeepEquals(one, value)), $"{place}: {value} is not among {values}");
        }

        if (all["anyOf"] is JsonArray any)
        {
            Assert.True(any.Any(one => Agrees(root, one!, value)), $"{place}: {value?.ToJsonString() ?? "null"} is none of {any}");
        }

        if (kind == JsonValueKind.String)
        {
            AssertText(all, value!.ToString(), place);
        }

        foreach (var (item, i) in value is JsonArray list && all["items"] is not null ? list.Select((item, i) => (item, i)) : [])
        {
            AssertAgrees(root, all["items"]!, item, $"{place}[{i}]");
        }

        if (value is JsonObject members)
        {
            foreach (var name in all["required"] as JsonArray ?? [])
            {
                Assert.True(members.ContainsKey(name!.ToString()), $"{place}: {name} is missing");
            }

            foreach (var (name, member) in members)
            {
                if ((all["properties"]?[name] ?? all["additionalProperties"]) is JsonObject described)
                {
                    AssertAgrees(root, described, member, $"{place}.{name}");
                }
            }
        }
    }

    private static void AssertText(JsonObject schema, string text, string place)
    {
        if (schema["pattern"]?.ToString() is { } pattern)
        {
            Assert.Matches(pattern, text);
        }

        // As RFC 3339 has them, which JSON Schema names.
        var form = schema["format"]?.ToString() switch
        {
            "date-time" => @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
            "time" => @"^\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
            "date" => @"^\d{4}-\d\d-\d\d$",
            "uri" => "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]*$",
            "uri-reference" => "^[!-~]*$",
            _ => "",
        };
        Assert.True(System.Text.RegularExpressions.Regex.IsMatch(text, form), $"{place}: {text} is no {schema["format"]}");
    }

    private static bool Agrees(JsonNode root, JsonNode schema, JsonNode? value)
    {
        try
        {
            AssertAgrees(root, schema, value, "");
            return true;
        }
        catch (Xunit.Sdk.XunitException)
        {
            return false;
        }
    }

    private static bool IsOf(string type, JsonValueKind kind, JsonNode? value) =>
        type switch
        {
            "null" => kind == JsonValueKind.Null,
            "string" => kind == JsonValueKind.String,
            "integer" => kind == JsonValueKind.Number && double.IsInteger(value!.GetValue<double>()),
            "number" => kind == JsonValueKind.Number,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "array" => kind == JsonValueKind.Array,
            _ => kind == JsonValueKind.Object,
        };
}
