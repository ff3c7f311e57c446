using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Brings the schemas of a tool into the form that all clients take: no short forms, nothing said twice, and nothing required that may be
/// left out.
/// </summary>
/// <remarks>
/// Clients refuse a whole list of tools for one schema that is <c>true</c>, and models' providers for a list without items. A member that
/// may be left out need not be null, too.
/// </remarks>
internal static class ToolSchema
{
    /// <summary>What .NET notes in the schema of a type that is not read from JSON.</summary>
    public const string Unsupported = "Unsupported .NET type";

    // Where schemas stand in a schema: as one, as a list, or by name (JSON Schema 2020-12, sections 10 and 8.2.4).
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

    // Notes for the way from the code to the list. None is listed.
    private const string Writing = "x-tenancy-writing";
    private const string Required = "x-tenancy-required";

    private static readonly string[] Several = ["anyOf", "oneOf", "allOf", "prefixItems"];
    private static readonly string[] Named = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

    /// <summary>Mends both schemas of a tool.</summary>
    /// <param name="tool">The tool, as it is listed.</param>
    /// <param name="mayLeaveOut">Whether what may be null may be left out of the arguments, whatever their schema says.</param>
    /// <exception cref="InvalidOperationException">Something of it cannot be described; the message names it.</exception>
    public static void Mend(Tool tool, bool mayLeaveOut)
    {
        tool.InputSchema = Mend(tool, tool.InputSchema, mayLeaveOut, isOutput: false);
        if (tool.OutputSchema is { } output)
        {
            // What is null is not written.
            tool.OutputSchema = Mend(tool, output, mayLeaveOut: true, isOutput: true);
        }
    }

    /// <summary>
    /// Notes in the schema of a member when that is written, where the code says so, for when the schema is mended. The note does not stay.
    /// </summary>
    public static void NoteWriting(JsonObject schema, JsonIgnoreCondition? left)
    {
        if (left is { } condition)
        {
            schema[Writing] = condition == JsonIgnoreCondition.Never ? "always" : "sometimes";
        }
    }

    /// <summary>Notes in the schema of a member or a parameter that an attribute asks for it.</summary>
    public static void NoteRequired(JsonObject schema, RequiredAttribute? attribute)
    {
        if (attribute is not null)
        {
            schema[Required] = attribute.AllowEmptyStrings;
        }
    }

    /// <summary>
    /// Lists what attributes ask for: it must be there, not be null, and have a letter at least where it is a text. Of what is written they
    /// say nothing.
    /// </summary>
    public static void ApplyRequired(JsonObject root, bool isOutput)
    {
        foreach (var schema in All(root).Where(schema => schema["properties"] is JsonObject).ToArray())
        {
            foreach (var (name, member) in schema["properties"]!.AsObject())
            {
                if (member is not JsonObject rules || rules[Required] is not { } mayBeEmpty)
                {
                    continue;
                }

                var isEmptyAllowed = mayBeEmpty.GetValue<bool>();
                rules.Remove(Required);
                if (isOutput)
                {
                    continue;
                }

                DropNull(rules);
                if (!isEmptyAllowed && Has(rules, "string"))
                {
                    rules["minLength"] ??= 1;
                }

                if (schema["required"] is not JsonArray required)
                {
                    schema["required"] = required = [];
                }

                if (!required.Any(one => one!.GetValue<string>() == name))
                {
                    required.Add(name);
                }
            }
        }
    }

    /// <summary>Whether a member is written also where it is null.</summary>
    public static bool IsAlwaysWritten(JsonObject schema) => schema[Writing]?.ToString() == "always";

    /// <summary>A schema and all that are within it.</summary>
    public static IEnumerable<JsonObject> All(JsonObject schema) => Children(schema).SelectMany(All).Prepend(schema);

    /// <summary>Makes a schema take null beside what it takes. One that takes anything stays.</summary>
    public static void AddNull(JsonObject schema)
    {
        if (schema["$ref"] is { } reference)
        {
            // Some clients know no rule beside a reference.
            schema.Remove("$ref");
            schema["anyOf"] = new JsonArray(new JsonObject { ["$ref"] = reference.ToString() }, new JsonObject { ["type"] = "null" });
            return;
        }

        if (schema["type"] is { } type && !Has(schema, "null"))
        {
            schema["type"] = new JsonArray([.. (type as JsonArray ?? [type.DeepClone()]).Select(one => one?.DeepClone()), "null"]);
        }

        if (schema["enum"] is JsonArray values && !values.Contains(null))
        {
            values.Add(null);
        }

        // The types that an object may be of are told apart beside its own type, and say nothing of null.
        if (!schema.ContainsKey("type") && schema["anyOf"] is JsonArray any && !any.Any(IsNullSchema))
        {
            any.Add(new JsonObject { ["type"] = "null" });
        }
    }

    private static JsonElement Mend(Tool tool, JsonElement schema, bool mayLeaveOut, bool isOutput)
    {
        var node = Whole(JsonNode.Parse(schema.GetRawText()));
        Mend(node, new References((JsonObject)node.DeepClone()), mayLeaveOut, isOutput);
        if (FindUnsupported(node, "") is { } place)
        {
            var what = (isOutput ? "result" : "argument") + (place.Length > 0 ? $" '{place}'" : "");
            throw new UndescribableException(
                $"tool '{tool.Name}'",
                $"the {what} has a type that is neither read from JSON nor written as such. Use another type, or give it a JsonConverter."
            );
        }

        return JsonSerializer.SerializeToElement(node);
    }

    private static void Mend(JsonObject schema, References references, bool mayLeaveOut, bool isOutput)
    {
        foreach (var name in Single.Where(name => schema[name] is JsonValue))
        {
            MendShort(schema, name);
        }

        foreach (var child in Children(schema))
        {
            Mend(child, references, mayLeaveOut, isOutput);
        }

        if (Has(schema, "array") && !schema.ContainsKey("items") && !schema.ContainsKey("prefixItems"))
        {
            schema["items"] = new JsonObject();
        }

        if (schema["enum"] is JsonArray values)
        {
            schema["enum"] = new JsonArray([.. values.Select(value => value?.DeepClone()).Distinct(Comparer)]);
            AddType(schema, values);
        }

        // What is written is what the method gave, and nothing looks whether it is a URL or an address: a client would refuse the result.
        if (isOutput && schema["format"]?.ToString() is "uri-reference" or "uri" or "email")
        {
            schema.Remove("format");
        }

        MendMembers(schema, references, mayLeaveOut, isOutput);
        MendTypeName(schema);
    }

    // Of an object that may be of several types .NET says once for all that the name of its type is required, and describes it with each
    // type. Some clients refuse what is required and not described in the same place.
    private static void MendTypeName(JsonObject schema)
    {
        if (schema["required"] is not JsonArray required || schema["anyOf"] is not JsonArray { Count: > 0 } types)
        {
            return;
        }

        var names = required.Select(name => name!.GetValue<string>()).ToArray();
        var moved = names
            .Where(name => schema["properties"]?[name] is null && types.All(type => type!["properties"]?[name] is not null))
            .ToArray();
        foreach (var type in types.Cast<JsonObject>())
        {
            Require(type, [.. moved.Union((type["required"] as JsonArray ?? []).Select(name => name!.GetValue<string>()))]);
        }

        Require(schema, names.Except(moved).ToArray());
    }

    private static void Require(JsonObject schema, string[] names)
    {
        schema.Remove("required");
        if (names.Length > 0)
        {
            schema["required"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]);
        }
    }

    // Anything and nothing, in words that all clients know.
    private static void MendShort(JsonObject schema, string name)
    {
        var isAnything = schema[name]!.GetValueKind() == JsonValueKind.True;
        if (name == "additionalProperties")
        {
            if (isAnything)
            {
                schema.Remove(name);
            }

            return;
        }

        schema[name] = Whole(schema[name]);
    }

    private static void MendMembers(JsonObject schema, References references, bool mayLeaveOut, bool isOutput)
    {
        if (schema["properties"] is not JsonObject properties)
        {
            return;
        }

        var required = (schema["required"] as JsonArray)?.Select(name => name!.GetValue<string>()).ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var (name, member) in properties.Select(property => (property.Key, (JsonObject)property.Value!)))
        {
            var writing = isOutput ? member[Writing]?.ToString() : null;
            member.Remove(Writing);
            if (writing == "always")
            {
                required.Add(name);
                continue;
            }

            // A type that stands twice is described once, and a reference leads there.
            var described = references.Follow(member);
            if (MayBeNull(described) && mayLeaveOut || isOutput && IsAnything(described) || writing == "sometimes")
            {
                required.Remove(name);
            }

            if (!required.Contains(name))
            {
                DropNull(member);
            }
        }

        if (schema["required"] is JsonArray || required.Count > 0)
        {
            schema["required"] = new JsonArray([.. required.Select(name => JsonValue.Create(name))]);
        }
    }

    // Not every client can tell it from the values.
    private static void AddType(JsonObject schema, JsonArray values)
    {
        if (!schema.ContainsKey("type") && values.All(value => value is null || value.GetValueKind() == JsonValueKind.String))
        {
            schema["type"] = values.Contains(null) ? new JsonArray("string", "null") : "string";
        }
    }

    private static bool IsAnything(JsonObject schema) =>
        !schema.Any(rule => rule.Key is "type" or "anyOf" or "oneOf" or "allOf" or "enum" or "const" or "$ref" or "not");

    /// <summary>Whether a schema takes null beside something else.</summary>
    public static bool MayBeNull(JsonObject schema) =>
        schema["type"] is JsonArray { Count: > 1 } types && types.Any(IsNull)
        || schema["anyOf"] is JsonArray { Count: > 1 } any && any.Any(IsNullSchema);

    /// <summary>Takes null away from what a schema takes beside something else.</summary>
    public static void DropNull(JsonObject schema)
    {
        if (schema["type"] is JsonArray types)
        {
            var rest = types.Where(type => !IsNull(type)).Select(type => type!.GetValue<string>()).ToArray();
            schema["type"] = rest switch
            {
                [] => "null",
                [var only] => only,
                _ => new JsonArray([.. rest.Select(type => JsonValue.Create(type))]),
            };
        }

        foreach (var name in new[] { "anyOf", "enum" })
        {
            if (schema[name] is JsonArray all && !all.All(IsNullOrItsSchema))
            {
                foreach (var one in all.Where(IsNullOrItsSchema).ToArray())
                {
                    all.Remove(one);
                }
            }
        }

        if (schema.TryGetPropertyValue("default", out var value) && value is null)
        {
            schema.Remove("default");
        }
    }

    private static JsonObject Whole(JsonNode? schema) =>
        schema as JsonObject ?? (schema?.GetValueKind() == JsonValueKind.False ? new() { ["not"] = new JsonObject() } : []);

    // Named and listed schemas that are short are replaced on the way.
    private static IEnumerable<JsonObject> Children(JsonObject schema)
    {
        foreach (var name in Single)
        {
            if (schema[name] is JsonObject single)
            {
                yield return single;
            }
        }

        foreach (var several in Several.Select(name => schema[name]).OfType<JsonArray>())
        {
            for (var i = 0; i < several.Count; i++)
            {
                if (several[i] is not JsonObject)
                {
                    several[i] = Whole(several[i]);
                }

                yield return (JsonObject)several[i]!;
            }
        }

        foreach (var named in Named.Select(name => schema[name]).OfType<JsonObject>())
        {
            foreach (var name in named.Select(property => property.Key).ToArray())
            {
                if (named[name] is not JsonObject)
                {
                    named[name] = Whole(named[name]);
                }

                yield return (JsonObject)named[name]!;
            }
        }
    }

    private static string? FindUnsupported(JsonObject schema, string place)
    {
        if (
            schema["$comment"] is JsonValue comment
            && comment.GetValueKind() == JsonValueKind.String
            && comment.GetValue<string>() == Unsupported
        )
        {
            return place;
        }

        return (schema["properties"] as JsonObject)
            ?.Select(member => FindUnsupported((JsonObject)member.Value!, place.Length > 0 ? $"{place}.{member.Key}" : member.Key))
            .FirstOrDefault(found => found is not null)
            ?? Children(schema)
                .Where(child => !ReferenceEquals(child.Parent, schema["properties"]))
                .Select(child => FindUnsupported(child, place))
                .FirstOrDefault(found => found is not null);
    }

    /// <summary>Whether a schema takes values of a type, perhaps beside others.</summary>
    public static bool Has(JsonObject schema, string type) =>
        schema["type"] is JsonArray types ? types.Any(one => one?.GetValue<string>() == type) : schema["type"]?.GetValue<string>() == type;

    private static bool IsNull(JsonNode? type) => type?.GetValueKind() == JsonValueKind.String && type.GetValue<string>() == "null";

    private static bool IsNullOrItsSchema(JsonNode? one) => one is null || IsNullSchema(one);

    private static bool IsNullSchema(JsonNode? schema) => schema is JsonObject { Count: 1 } only && IsNull(only["type"]);

    // Equal values may be written in two ways, as 1 and 1.0 are, so that their text is no hash.
    private static readonly EqualityComparer<JsonNode?> Comparer = EqualityComparer<JsonNode?>.Create(JsonNode.DeepEquals, node =>
        (int?)node?.GetValueKind() ?? 0
    );

    /// <summary>Schemas as they were before anything was mended, found by references to them.</summary>
    private sealed class References(JsonObject root)
    {
        /// <summary>What a schema's reference leads to; the schema itself where it has none that leads anywhere.</summary>
        public JsonObject Follow(JsonObject schema)
        {
            // A circle of references says nothing.
            var found = schema;
            for (var passed = 0; passed < 32 && found["$ref"]?.GetValueKind() == JsonValueKind.String; passed++)
            {
                if (Find(found["$ref"]!.GetValue<string>()) is not { } next)
                {
                    return schema;
                }

                found = next;
            }

            return found;
        }

        private JsonObject? Find(string reference)
        {
            JsonNode? found = root;
            foreach (var part in JsonPointer.Read(reference))
            {
                found = found switch
                {
                    JsonArray list
                        when int.TryParse(part, CultureInfo.InvariantCulture, out var index) && index >= 0 && index < list.Count => list[
                        index
                    ],
                    JsonObject named => named[part],
                    _ => null,
                };
            }

            return found as JsonObject;
        }
    }
}
