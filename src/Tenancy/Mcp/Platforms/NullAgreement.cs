using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Says in the schemas of a method which items of lists and values of dictionaries may be null, as its C# does. The schemas of .NET say it
/// of members alone: by them an item is never null.
/// </summary>
/// <remarks>
/// What the code says is noted in the schema of each member while that is made, a letter for each level: the member, its items, their
/// items. It is applied at the end, when it is known whether the schema is of arguments or of a result. Where the code says nothing, an
/// argument's schema stays as it is, and what is sent may be null.
/// </remarks>
internal static class NullAgreement
{
    private const string Mark = "x-tenancy-nulls";
    private const char Never = 'n';
    private const char Maybe = 'm';
    private const char Unknown = 'u';

    // Of a parameter itself .NET says more: whether it has a default.
    private const char AsItIs = '-';

    /// <summary>Notes what the code says of a member.</summary>
    public static void Note(JsonObject schema, JsonPropertyInfo property)
    {
        var nulls = property.AttributeProvider switch
        {
            PropertyInfo member => new NullabilityInfoContext().Create(member),
            FieldInfo field => new NullabilityInfoContext().Create(field),
            _ => null,
        };
        if (nulls is not null)
        {
            var member = (MemberInfo)property.AttributeProvider!;
            var isGiven = IsGiven(member);
            Note(schema, nulls, Letter(nulls, isGiven), isGiven);
        }
    }

    /// <summary>Brings the schemas of a method's parameters and result, and of all within them, into agreement with its code.</summary>
    public static void Apply(MethodInfo method, Tool tool)
    {
        var input = JsonNode.Parse(tool.InputSchema.GetRawText())!.AsObject();
        foreach (var parameter in method.GetParameters())
        {
            if (input["properties"]?[parameter.Name!] is JsonObject schema)
            {
                Note(schema, new NullabilityInfoContext().Create(parameter), AsItIs);
                ToolSchema.NoteRequired(schema, parameter.GetCustomAttribute<RequiredAttribute>());
                AttributeRules.Apply(schema, parameter.ParameterType, parameter.GetCustomAttributes<ValidationAttribute>());
            }
        }

        TypeRules.Apply(input, isOutput: false);
        Apply(input, isOutput: false);
        ToolSchema.ApplyRequired(input, isOutput: false);
        tool.InputSchema = JsonSerializer.SerializeToElement(input, ToolJson.Default.JsonObject);
        if (tool.OutputSchema is not { } listed || JsonNode.Parse(listed.GetRawText()) is not JsonObject output)
        {
            return;
        }

        if (Result(method) is { } result)
        {
            Note(output, result, Letter(result));
        }

        TypeRules.Apply(output, isOutput: true);
        Apply(output, isOutput: true);
        ToolSchema.ApplyRequired(output, isOutput: true);
        tool.OutputSchema = JsonSerializer.SerializeToElement(output, ToolJson.Default.JsonObject);
    }

    /// <summary>
    /// The schema of a method's arguments in which no argument and no member may be null only because another of its type may be.
    /// </summary>
    public static JsonElement Separate(JsonElement input)
    {
        var root = JsonNode.Parse(input.GetRawText())!.AsObject();
        foreach (var schema in ToolSchema.All(root).ToArray())
        {
            Separate(root, schema);
        }

        return JsonSerializer.SerializeToElement(root, ToolJson.Default.JsonObject);
    }

    // What is said of a type is not kept where it becomes the T of another.
    private static bool IsGiven(MemberInfo member) =>
        member.DeclaringType is { IsGenericType: true } type
        && type.GetGenericTypeDefinition().GetMemberWithSameMetadataDefinitionAs(member) switch
        {
            PropertyInfo property => property.PropertyType.ContainsGenericParameters,
            FieldInfo field => field.FieldType.ContainsGenericParameters,
            _ => false,
        };

    /// <summary>What the code says of what a method returns, once it is awaited; null where it returns nothing.</summary>
    public static NullabilityInfo? Result(MethodInfo method)
    {
        var result = new NullabilityInfoContext().Create(method.ReturnParameter);
        var isAwaited =
            result.Type.IsGenericType
            && result.Type.GetGenericTypeDefinition() is var open
            && (open == typeof(Task<>) || open == typeof(ValueTask<>));
        return isAwaited ? result.GenericTypeArguments.FirstOrDefault() : result;
    }

    private static void Note(JsonObject schema, NullabilityInfo nulls, char first, bool isGiven = false)
    {
        var letters = $"{first}";
        for (var item = ItemOf(nulls, out var isKnown); isKnown; item = ItemOf(item, out isKnown))
        {
            if (item is null)
            {
                letters += Unknown;
                break;
            }

            letters += Letter(item, isGiven);
        }

        if (letters is not [AsItIs])
        {
            schema[Mark] = letters;
        }
    }

    private static char Letter(NullabilityInfo nulls, bool isGiven = false) =>
        nulls.ReadState switch
        {
            _ when nulls.Type.IsValueType => AsItIs,
            _ when isGiven => Unknown,
            NullabilityState.NotNull => nulls.WriteState == NullabilityState.Nullable ? AsItIs : Never,
            NullabilityState.Nullable => Maybe,
            _ => Unknown,
        };

    // The items of a list and the values of a dictionary; null for those of a class that derives from one.
    private static NullabilityInfo? ItemOf(NullabilityInfo nulls, out bool hasItems)
    {
        var type = Nullable.GetUnderlyingType(nulls.Type) ?? nulls.Type;
        hasItems = type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable));
        return !hasItems ? null : nulls.ElementType ?? (nulls.GenericTypeArguments is { Length: 1 or 2 } all ? all[^1] : null);
    }

    private static void Apply(JsonObject root, bool isOutput)
    {
        var noted = ToolSchema.All(root).Where(schema => schema.ContainsKey(Mark)).ToArray();
        foreach (var schema in noted)
        {
            Part(root, schema, schema[Mark]!.ToString().Length - 1);
        }

        foreach (var schema in noted)
        {
            Apply(root, schema, schema[Mark]!.ToString(), isOutput);
        }

        foreach (var schema in noted)
        {
            schema.Remove(Mark);
        }
    }

    // A list is described once, and referred to by others of its type. Their items may be null where its are not, so that they are lists
    // of their own, of what its items are.
    private static void Part(JsonObject root, JsonObject schema, int levels)
    {
        if (levels > 0 && schema["$ref"]?.ToString() is { } reference && Find(root, reference) is { } shared)
        {
            schema.Remove("$ref");
            foreach (
                var (name, rule) in shared.Where(rule => !IsNote(rule.Key) && schema[rule.Key] is null or JsonObject { Count: 0 }).ToArray()
            )
            {
                schema[name] =
                    rule is JsonObject within && (within.ContainsKey("$ref") || ToolSchema.All(within).Skip(1).Any())
                        ? new JsonObject { ["$ref"] = within["$ref"]?.ToString() ?? $"{reference}/{name}" }
                        : rule?.DeepClone();
            }
        }

        if (levels > 0 && ItemsOf(schema) is { } items)
        {
            Part(root, items, levels - 1);
        }
    }

    private static void Apply(JsonObject root, JsonObject schema, string letters, bool isOutput)
    {
        var level = schema;
        foreach (var letter in letters)
        {
            var items = ItemsOf(level);
            if (letter == Maybe || letter == Unknown && isOutput)
            {
                // A member that is null is mostly not written, so that what it refers to says enough.
                if (!isOutput || level != schema || !level.ContainsKey("$ref") || ToolSchema.IsAlwaysWritten(level))
                {
                    ToolSchema.AddNull(level);
                    if (level != schema)
                    {
                        Separate(root, level);
                    }
                }
            }
            else if (letter == Never)
            {
                ToolSchema.DropNull(level);
            }

            if (items is null)
            {
                return;
            }

            level = items;
        }
    }

    // A type that has itself in it is described where it first stands, and referred to within. That it may be null there says nothing of
    // the others, so that it then stands beside null, where they can refer to it alone.
    private static void Separate(JsonObject root, JsonObject schema)
    {
        var place = JsonPointer.To(schema);
        var referring = ToolSchema.All(root).Where(one => JsonPointer.IsWithin(one["$ref"]?.ToString(), place)).ToArray();
        if (!ToolSchema.MayBeNull(schema) || !Array.Exists(referring, one => one["$ref"]!.ToString() == place))
        {
            return;
        }

        var alone = new JsonObject();
        foreach (var (name, rule) in schema.Where(rule => !IsNote(rule.Key) && rule.Key != "description").ToArray())
        {
            schema.Remove(name);
            alone[name] = rule;
        }

        ToolSchema.DropNull(alone);
        schema["anyOf"] = new JsonArray(alone, new JsonObject { ["type"] = "null" });
        foreach (var one in referring)
        {
            one["$ref"] = JsonPointer.To(alone) + one["$ref"]!.ToString()[place.Length..];
        }
    }

    // What is noted of a member is its own, also where others are described by it.
    private static bool IsNote(string rule) => rule.StartsWith("x-tenancy-", StringComparison.Ordinal);

    private static JsonObject? ItemsOf(JsonObject schema) => (schema["items"] ?? schema["additionalProperties"]) as JsonObject;

    private static JsonObject? Find(JsonObject root, string reference)
    {
        JsonNode? found = root;
        foreach (var part in JsonPointer.Read(reference))
        {
            found = found switch
            {
                JsonObject named => named[part],
                JsonArray list => list[int.Parse(part, CultureInfo.InvariantCulture)],
                _ => null,
            };
        }

        return found as JsonObject;
    }
}
