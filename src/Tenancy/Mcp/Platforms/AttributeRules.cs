using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// What the validation attributes of a parameter or a member ask for. Microsoft.Extensions.AI writes most of it into schemas; what it
/// leaves out, or writes in another sense than the attribute has, is set right here, and what no schema can say is refused. See
/// findings/microsoft-extensions-ai-exclusive-range.sh.
/// </summary>
internal static class AttributeRules
{
    /// <summary>The rules that attributes are listed by.</summary>
    public static readonly string[] Listed =
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "pattern",
        "not",
    ];

    /// <summary>Says why an attribute cannot be listed; null where it can.</summary>
    public static string? Explain(ValidationAttribute rule, Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        var (isText, isNumber, isList) = (type == typeof(string), TypeRules.IsNumber(type), IsList(type));
        return rule.GetType() == typeof(DataTypeAttribute) ? null
            : rule.GetType().Assembly != typeof(ValidationAttribute).Assembly ? Unlisted
            : rule switch
            {
                RequiredAttribute or AllowedValuesAttribute or DeniedValuesAttribute => null,
                RangeAttribute range => !isNumber ? Mismatch(type, "a number")
                : BoundsOf(range) is null ? Unlisted
                : null,
                StringLengthAttribute or EmailAddressAttribute or UrlAttribute or Base64StringAttribute => isText
                    ? null
                    : Mismatch(type, "a text"),
                MinLengthAttribute or MaxLengthAttribute or LengthAttribute => isText || isList ? null : Mismatch(type, "a text or a list"),
                RegularExpressionAttribute regex => isText ? ExplainPattern(regex.Pattern) : Mismatch(type, "a text"),
                _ => Unlisted,
            };
    }

    /// <summary>Sets right what is listed of attributes that can be listed.</summary>
    public static void Apply(JsonObject schema, Type declared, IEnumerable<ValidationAttribute> rules)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        foreach (var rule in rules)
        {
            switch (rule)
            {
                case RangeAttribute range when BoundsOf(range) is var (least, most):
                    SetBound(schema, "minimum", "exclusiveMinimum", least, range.MinimumIsExclusive);
                    SetBound(schema, "maximum", "exclusiveMaximum", most, range.MaximumIsExclusive);
                    break;
                case RegularExpressionAttribute regex:
                    schema["pattern"] = Whole(regex.Pattern);
                    break;
                case AllowedValuesAttribute allowed when type.IsEnum:
                    schema["enum"] = Values(allowed.Values, type);
                    break;
                case DeniedValuesAttribute denied when type.IsEnum:
                    schema["not"] = new JsonObject { ["enum"] = Values(denied.Values, type) };
                    break;
                case MinLengthAttribute or MaxLengthAttribute or LengthAttribute when ToolSchema.Has(schema, "object"):
                    Rename(schema, "minItems", "minProperties");
                    Rename(schema, "maxItems", "maxProperties");
                    break;
                case DataTypeAttribute data when data.GetType() == typeof(DataTypeAttribute) && type == typeof(string):
                    // It says how a text is shown, and refuses none.
                    schema.Remove("format");
                    break;
            }
        }
    }

    private const string Unlisted =
        "which no JSON schema can say: use another attribute of System.ComponentModel.DataAnnotations, or check it in the method";

    private static string Mismatch(Type type, string right) =>
        $"which goes with {right}, and not with {type.Name}: take it away, or check it in the method";

    // The length of a text in base64 does not say how many bytes it has.
    private static bool IsList(Type type) =>
        type.IsAssignableTo(typeof(IEnumerable)) && type != typeof(byte[]) && !type.IsAssignableTo(typeof(JsonNode));

    private static string? ExplainPattern(string pattern)
    {
        try
        {
            _ = new Regex(pattern);
        }
        catch (ArgumentException exception)
        {
            return $"which is no regular expression: {exception.Message}";
        }

        return PortablePattern.FindForeign(pattern) is { } foreign
            ? $"whose '{foreign}' is no part of a pattern of ECMA-262, as schemas have them: write it in another way"
            : null;
    }

    // The attribute asks for all of a text, and a schema's pattern for any part of it.
    private static string Whole(string pattern) =>
        pattern is ['^', .., not '\\', '$'] && !pattern.Contains('|', StringComparison.Ordinal) ? pattern : $"^(?:{pattern})$";

    /// <returns>Null for an attribute that compares something other than numbers. A bound that is infinite is none.</returns>
    private static (JsonNode? Least, JsonNode? Most)? BoundsOf(RangeAttribute range)
    {
        try
        {
            return TypeRules.IsNumber(range.OperandType)
                ? (Bound(range.Minimum, range.OperandType), Bound(range.Maximum, range.OperandType))
                : null;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or InvalidCastException)
        {
            return null;
        }
    }

    private static JsonNode? Bound(object bound, Type type)
    {
        var number = (IFormattable)Convert.ChangeType(bound, type, CultureInfo.InvariantCulture);
        return number is double and (double.NegativeInfinity or double.PositiveInfinity)
            ? null
            : JsonNode.Parse(number.ToString(null, CultureInfo.InvariantCulture));
    }

    private static void SetBound(JsonObject schema, string inclusive, string exclusive, JsonNode? bound, bool isExclusive)
    {
        schema.Remove(inclusive);
        schema.Remove(exclusive);
        if (bound is not null)
        {
            schema[isExclusive ? exclusive : inclusive] = bound;
        }
    }

    private static JsonArray Values(object?[] values, Type type) =>
        [.. values.Select(value => value is null ? null : JsonSerializer.SerializeToNode(value, type, MethodArguments.Options))];

    private static void Rename(JsonObject schema, string from, string to)
    {
        if (schema[from] is { } rule)
        {
            schema.Remove(from);
            schema[to] = rule.DeepClone();
        }
    }
}
