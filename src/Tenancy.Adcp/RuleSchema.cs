using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tenancy.Adcp;

/// <summary>Writes the rules that stand as attributes on wire records into schemas: what is enforced is listed.</summary>
internal sealed class RuleSchema(JsonSerializerOptions options)
{
    /// <summary>Writes the rules of a property into its schema.</summary>
    /// <param name="schema">The schema, as it is without rules.</param>
    /// <param name="attributes">The property's attributes.</param>
    /// <param name="member">The property, to name it where a rule cannot be said.</param>
    /// <exception cref="InvalidOperationException">A rule is one that no schema can say.</exception>
    public void Write(JsonObject schema, IEnumerable<object> attributes, string member)
    {
        foreach (var rule in attributes.OfType<ValidationAttribute>())
        {
            if (!IsStock(rule) || !TryWrite(schema, rule))
            {
                throw new InvalidOperationException(
                    $"{member} has [{rule.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal)}], which no JSON schema can "
                        + "say, so that no client would know of it: use another attribute of System.ComponentModel.DataAnnotations, or "
                        + "check it in the handler."
                );
            }
        }
    }

    // A rule that derives from one of these and checks something of its own checks what is not said.
    private static bool IsStock(ValidationAttribute rule) =>
        rule.GetType()
            .GetMethods(
                System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic
            )
            .Where(method => method.Name == nameof(ValidationAttribute.IsValid))
            .All(method => method.DeclaringType!.Assembly == typeof(ValidationAttribute).Assembly);

    private bool TryWrite(JsonObject schema, ValidationAttribute rule)
    {
        switch (rule)
        {
            case RangeAttribute range:
                return TryWriteRange(schema, range);
            case MinLengthAttribute min:
                schema["min" + Measure(schema)] = min.Length;
                return true;
            case MaxLengthAttribute { Length: > 0 } max:
                schema["max" + Measure(schema)] = max.Length;
                return true;
            case LengthAttribute both:
                schema["min" + Measure(schema)] = both.MinimumLength;
                schema["max" + Measure(schema)] = both.MaximumLength;
                return true;
            case StringLengthAttribute text:
                if (text.MinimumLength > 0)
                {
                    schema["minLength"] = text.MinimumLength;
                }

                schema["maxLength"] = text.MaximumLength;
                return true;
            case RequiredAttribute required:
                if (!required.AllowEmptyStrings && Measure(schema) == "Length")
                {
                    schema["pattern"] = @"\S";
                }

                return true;
            case RegularExpressionAttribute pattern:
                schema["pattern"] = Whole(pattern.Pattern);
                return true;
            case AllowedValuesAttribute allowed:
                schema["enum"] = Values(allowed.Values);
                return true;
            case DeniedValuesAttribute denied:
                schema["not"] = new JsonObject { ["enum"] = Values(denied.Values) };
                return true;
            case EmailAddressAttribute:
                schema["format"] = "email";
                return true;
            case UrlAttribute:
                schema["format"] = "uri";
                return true;
            case Base64StringAttribute:
                schema["contentEncoding"] = "base64";
                return true;
            default:
                // It says what a text is for, and checks nothing.
                return rule.GetType() == typeof(DataTypeAttribute);
        }
    }

    private static bool TryWriteRange(JsonObject schema, RangeAttribute range)
    {
        if (Number(range.Minimum) is not { } least || Number(range.Maximum) is not { } most)
        {
            return false;
        }

        if (range.Minimum is not (double.MinValue or int.MinValue))
        {
            schema[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = least;
        }

        if (range.Maximum is not (double.MaxValue or int.MaxValue))
        {
            schema[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = most;
        }

        return true;
    }

    // Texts have a length, and dictionaries and lists have a number of members.
    private static string Measure(JsonObject schema) =>
        Is(schema, "string") ? "Length"
        : Is(schema, "object") ? "Properties"
        : "Items";

    private static bool Is(JsonObject schema, string type) =>
        schema["type"] is JsonArray types ? types.Any(one => one?.GetValue<string>() == type) : schema["type"]?.GetValue<string>() == type;

    // The attribute asks for all of a text, and a schema's pattern for any part of it.
    private static string Whole(string pattern) =>
        pattern is ['^', .., '$'] && !pattern.Contains('|', StringComparison.Ordinal) ? pattern : $"^(?:{pattern})$";

    private JsonArray Values(object?[] values) =>
        new([
            .. values.Select(value => value is null ? null : JsonSerializer.SerializeToNode(value, options.GetTypeInfo(value.GetType()))),
        ]);

    // Bounds of other types, such as dates, are texts.
    private static JsonValue? Number(object bound) =>
        bound is int whole ? JsonValue.Create(whole)
        : bound is double number ? JsonValue.Create(number)
        : decimal.TryParse(bound as string, NumberStyles.Number, CultureInfo.InvariantCulture, out var text) ? JsonValue.Create(text)
        : null;
}
