using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// What the types of .NET ask of an argument, and their schemas do not say: how large a number may be, what the names of a dictionary are,
/// and how several flags are written. And which members are no arguments at all, because nothing sets them.
/// </summary>
/// <remarks>
/// It is noted in each schema while that is made, and applied at the end, when it is known whether the schema is of arguments or of a
/// result. What is written is of its type, so that a result's schema need not say it.
/// </remarks>
internal static partial class TypeRules
{
    private const string Rules = "x-argument-rules";
    private const string Side = "x-tenancy-side";
    private const string AsText = "x-tenancy-text";
    private const string Attributed = "x-tenancy-attributes";
    private const string Refused = "x-tenancy-refused";
    private const string OnlyWritten = "result";
    private const string OnlyRead = "argument";

    private static readonly Dictionary<Type, (string Least, string Most)> Ranges = new()
    {
        [typeof(sbyte)] = Range<sbyte>(),
        [typeof(byte)] = Range<byte>(),
        [typeof(short)] = Range<short>(),
        [typeof(ushort)] = Range<ushort>(),
        [typeof(int)] = Range<int>(),
        [typeof(uint)] = Range<uint>(),
        [typeof(long)] = Range<long>(),
        [typeof(ulong)] = Range<ulong>(),
        [typeof(Int128)] = Range<Int128>(),
        [typeof(UInt128)] = Range<UInt128>(),
        [typeof(decimal)] = Range<decimal>(),

        // Beyond it would be infinite, which no answer can say.
        [typeof(float)] = Range<float>(),
        [typeof(Half)] = Range<Half>(),
    };

    /// <summary>Whether a type is one of numbers.</summary>
    public static bool IsNumber(Type type) => Ranges.ContainsKey(type) || type == typeof(double);

    /// <summary>Notes what a type asks of its values.</summary>
    public static void NoteType(JsonObject schema, JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        JsonObject? rules =
            !IsReadable(info) ? new() { ["$comment"] = ToolSchema.Unsupported }
            : info is { Kind: JsonTypeInfoKind.Dictionary, KeyType: { } names } && DescribeNames(info.Options, names) is { } described
                ? new() { ["propertyNames"] = described }
            : IsWrittenAsFlags(schema, type) ? new() { ["pattern"] = Flags(type, info.Options) }
            : RangeOf(schema, type) is var (least, most) ? new() { ["minimum"] = JsonNode.Parse(least), ["maximum"] = JsonNode.Parse(most) }
            : null;
        if (rules is not null)
        {
            schema[Rules] = rules;
        }
    }

    /// <summary>Notes of a member that it is only read or only written.</summary>
    public static void NoteMember(JsonObject schema, JsonPropertyInfo property)
    {
        if (property is { Set: null, AssociatedParameter: null } && !IsFilled(property))
        {
            schema[Side] = OnlyWritten;
        }
        else if (property.Get is null)
        {
            schema[Side] = OnlyRead;
        }

        var numbers = property.NumberHandling ?? property.Options.GetTypeInfo(property.DeclaringType).NumberHandling;
        if (numbers?.HasFlag(JsonNumberHandling.WriteAsString) is true)
        {
            schema[AsText] = true;
        }
    }

    /// <summary>Notes of a member that attributes ask for something, and why that cannot be listed; null where it can.</summary>
    public static void NoteAttributes(JsonObject schema, string? refusal)
    {
        schema[Attributed] = true;
        if (refusal is not null)
        {
            schema[Refused] = refusal;
        }
    }

    /// <summary>Why something of arguments cannot be listed, by what was noted; null where all can.</summary>
    public static string? FindRefusal(JsonObject root) =>
        ToolSchema.All(root).Select(schema => schema[Refused]?.ToString()).FirstOrDefault(refusal => refusal is not null);

    /// <summary>Lists in the schema of arguments what was noted, and takes the notes away.</summary>
    public static void Apply(JsonObject root, bool isOutput)
    {
        foreach (var schema in ToolSchema.All(root).Where(schema => schema["$ref"]?.GetValueKind() == JsonValueKind.String).ToArray())
        {
            schema["$ref"] = JsonPointer.ToFragment(schema["$ref"]!.GetValue<string>());
        }

        // What is taken away goes with all that is in it.
        foreach (var schema in ToolSchema.All(root).ToArray().Where(schema => ReferenceEquals(schema.Root, root)))
        {
            if (schema[Rules] is JsonObject rules)
            {
                schema.Remove(Rules);
                foreach (var (name, rule) in isOutput ? [] : rules.ToArray())
                {
                    if (!IsStricter(schema, name, rule!))
                    {
                        schema[name] = rule!.DeepClone();
                    }
                }
            }

            if (schema.Remove(AsText) && isOutput)
            {
                WriteAsText(schema);
            }

            schema.Remove(Refused);
            if (schema.Remove(Attributed) && isOutput)
            {
                // Nothing looks whether what a method gives keeps them, and a client would refuse the result.
                foreach (var rule in AttributeRules.Listed)
                {
                    schema.Remove(rule);
                }
            }

            foreach (var (name, member) in (schema["properties"] as JsonObject)?.ToArray() ?? [])
            {
                if (member is JsonObject within && within[Side]?.ToString() is { } side)
                {
                    within.Remove(Side);
                    if (side == (isOutput ? OnlyRead : OnlyWritten))
                    {
                        Remove(root, schema, name);
                    }
                }
            }
        }
    }

    // A list that is there already is added to where its type asks for that.
    private static bool IsFilled(JsonPropertyInfo property) =>
        (
            property.ObjectCreationHandling
            ?? property.Options.GetTypeInfo(property.DeclaringType).PreferredPropertyObjectCreationHandling
            ?? property.Options.PreferredObjectCreationHandling
        ) == JsonObjectCreationHandling.Populate;

    private static (string Least, string Most) Range<T>()
        where T : INumber<T>, IMinMaxValue<T> =>
        (T.MinValue.ToString(null, CultureInfo.InvariantCulture), T.MaxValue.ToString(null, CultureInfo.InvariantCulture));

    private static (string Least, string Most)? RangeOf(JsonObject schema, Type type) =>
        (ToolSchema.Has(schema, "integer") || ToolSchema.Has(schema, "number"))
        && Ranges.TryGetValue(type.IsEnum ? Enum.GetUnderlyingType(type) : type, out var range)
            ? range
            : null;

    // An attribute may ask for less.
    private static bool IsStricter(JsonObject schema, string name, JsonNode rule) =>
        name switch
        {
            "minimum" => (schema[name] ?? schema["exclusiveMinimum"]) is { } bound && Number(bound) >= Number(rule),
            "maximum" => (schema[name] ?? schema["exclusiveMaximum"]) is { } bound && Number(bound) <= Number(rule),
            _ => schema.ContainsKey(name),
        };

    // What is read by nothing but a converter is not tried.
    private static bool IsReadable(JsonTypeInfo info)
    {
        if (Nullable.GetUnderlyingType(info.Type) is { } inner)
        {
            return IsReadable(info.Options.GetTypeInfo(inner));
        }

        if (info.Kind == JsonTypeInfoKind.None || info.PolymorphismOptions?.DerivedTypes.Count > 0)
        {
            return true;
        }

        // A type of .NET without members that can be set is none of JSON: all that is sent for it would be lost.
        if (
            info is { Kind: JsonTypeInfoKind.Object, Type: { Namespace: var space } type }
            && type != typeof(object)
            && (space == nameof(System) || space?.StartsWith("System.", StringComparison.Ordinal) is true)
            && info.Properties.All(property => property is { Set: null, AssociatedParameter: null })
        )
        {
            return false;
        }

        try
        {
            JsonSerializer.Deserialize(info.Kind == JsonTypeInfoKind.Enumerable ? "[]" : "{}", info);
            return true;
        }
        catch (Exception exception)
        {
            // Whatever a constructor says of values that it does not get is another matter.
            return exception is not (NotSupportedException or InvalidOperationException)
                || exception.TargetSite?.DeclaringType?.Assembly != typeof(JsonSerializer).Assembly;
        }
    }

    private static void WriteAsText(JsonObject schema)
    {
        var types = schema["type"] is JsonArray several ? several.Select(type => type!.ToString()) : [schema["type"]?.ToString() ?? ""];
        string[] written = [.. types.Select(type => type is "integer" or "number" ? "string" : type).Distinct()];
        schema["type"] = written is [var only] ? only : new JsonArray([.. written.Select(type => JsonValue.Create(type))]);
        foreach (var rule in new[] { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum" })
        {
            schema.Remove(rule);
        }
    }

    private static double Number(JsonNode bound) => double.Parse(bound.ToJsonString(), CultureInfo.InvariantCulture);

    // What stands in a name is what would stand in a text, and numbers and truth values are written into one.
    private static JsonObject? DescribeNames(JsonSerializerOptions options, Type type)
    {
        if (type == typeof(string) || type == typeof(object))
        {
            return null;
        }

        var schema = options.GetJsonSchemaAsNode(type) as JsonObject ?? [];
        if (type.IsEnum && ToolSchema.Has(schema, "integer"))
        {
            return new() { ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(name => JsonValue.Create(name))]) };
        }

        if (RangeOf(schema, type) is var (least, most) && !ToolSchema.Has(schema, "number"))
        {
            return new() { ["pattern"] = WholeNumbers(least, most) };
        }

        if (type == typeof(bool))
        {
            return new() { ["enum"] = new JsonArray("true", "false", "True", "False") };
        }

        if (IsWrittenAsFlags(schema, type))
        {
            return new() { ["pattern"] = Flags(type, options) };
        }

        MethodRules.DescribeForm(schema, type);
        if (!schema.ContainsKey("enum") && !ToolSchema.Has(schema, "string"))
        {
            return new() { ["$comment"] = ToolSchema.Unsupported };
        }

        schema.Remove("type");
        return schema.Count > 0 ? schema : null;
    }

    private static bool IsWrittenAsFlags(JsonObject schema, Type type) =>
        type.IsEnum && type.IsDefined(typeof(FlagsAttribute), inherit: false) && ToolSchema.Has(schema, "string");

    // .NET reads their names with a comma between them.
    private static string Flags(Type type, JsonSerializerOptions options)
    {
        var names = Enum.GetValuesAsUnderlyingType(type)
            .Cast<object>()
            .Select(value => JsonSerializer.SerializeToNode(Enum.ToObject(type, value), type, options)!)
            .Where(name => name.GetValueKind() == JsonValueKind.String)
            .Select(name => Special().Replace(name.ToString(), @"\$0"))
            .Distinct();
        var one = $"(?:{string.Join('|', names)})";
        return $"^{one}(?:, ?{one})*$";
    }

    // A pattern knows letters alone, so that it says each way to stay below the bound.
    private static string WholeNumbers(string least, string most)
    {
        var upTo = $"0|{UpTo(most)}";
        return least == "0" ? $"^(?:{upTo})$" : $"^(?:{upTo}|-(?:{UpTo(least[1..])}))$";
    }

    private static string UpTo(string most)
    {
        List<string> ways = [most];
        for (var i = most.Length - 1; i >= 0; i--)
        {
            var least = i == 0 ? '1' : '0';
            if (most[i] > least)
            {
                ways.Add($"{most[..i]}{Between(least, (char)(most[i] - 1))}{Digits(most.Length - i - 1)}");
            }
        }

        if (most.Length > 1)
        {
            ways.Add($"[1-9][0-9]{{0,{most.Length - 2}}}");
        }

        return string.Join('|', ways);
    }

    private static string Between(char least, char most) => least == most ? $"{least}" : $"[{least}-{most}]";

    private static string Digits(int count) => count == 0 ? "" : $"[0-9]{{{count}}}";

    // Others of its type may be described by a reference to what is taken away.
    private static void Remove(JsonObject root, JsonObject schema, string name)
    {
        var member = schema["properties"]![name]!.AsObject();
        var place = JsonPointer.To(member);
        schema["properties"]!.AsObject().Remove(name);
        if (schema["required"] is JsonArray required && required.FirstOrDefault(one => one!.ToString() == name) is { } found)
        {
            required.Remove(found);
        }

        var referring = ToolSchema.All(root).Where(one => JsonPointer.IsWithin(one["$ref"]?.ToString(), place)).ToArray();
        if (referring.Length == 0)
        {
            return;
        }

        if (root["$defs"] is not JsonObject kept)
        {
            root["$defs"] = kept = [];
        }

        kept[$"{name}{kept.Count}"] = member;
        foreach (var one in ToolSchema.All(root).Where(one => JsonPointer.IsWithin(one["$ref"]?.ToString(), place)).ToArray())
        {
            one["$ref"] = JsonPointer.To(member) + one["$ref"]!.ToString()[place.Length..];
        }
    }

    [GeneratedRegex(@"[\\^$.*+?()\[\]{}|/]")]
    private static partial Regex Special();
}
