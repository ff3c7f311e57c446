using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Tenancy.Adcp;

/// <summary>
/// A rule that stands as an attribute on a field of a wire record. It is read once, for all that it says: which values keep it, what is
/// said of one that does not, and what the schema lists.
/// </summary>
internal sealed class WireRule
{
    private const string WrongForm = "has a wrong form";

    private readonly ValidationAttribute _attribute;
    private readonly Action<JsonObject>? _describe;

    private WireRule(ValidationAttribute attribute, Func<object, bool>? holds, string text, Action<JsonObject>? describe)
    {
        (_attribute, _describe) = (attribute, describe);
        (Holds, Text) = (holds ?? attribute.IsValid, text);
    }

    /// <summary>Gets whether a value keeps the rule.</summary>
    public Func<object, bool> Holds { get; }

    /// <summary>Gets what is said of a value that does not keep it.</summary>
    public string Text { get; }

    /// <summary>Gets the attribute.</summary>
    public ValidationAttribute Attribute => _attribute;

    /// <summary>Writes the rule into the schema of its field.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="field">The field, to name it where the rule cannot be said.</param>
    /// <exception cref="InvalidOperationException">The rule is one that no schema can say.</exception>
    public void WriteTo(JsonObject schema, string field)
    {
        if (_describe is null || !IsStock(_attribute))
        {
            throw new InvalidOperationException(
                $"{field} has [{_attribute.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal)}], which no JSON schema can "
                    + "say, so that no client would know of it: use another attribute of System.ComponentModel.DataAnnotations, or "
                    + "check it in the handler."
            );
        }

        _describe(schema);
    }

    /// <summary>Reads an attribute.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <param name="options">How values are written that a schema lists.</param>
    /// <param name="patterns">The regular expressions of all rules, each compiled once.</param>
    public static WireRule Read(
        ValidationAttribute attribute,
        JsonSerializerOptions options,
        ConcurrentDictionary<string, Regex> patterns
    ) =>
        attribute switch
        {
            RangeAttribute range => new(range, WithinBounds(range), Explain(range), DescriptionOf(range)),
            MinLengthAttribute min => new(min, null, $"must have {min.Length} at least", schema =>
                schema["min" + Measure(schema)] = min.Length
            ),
            MaxLengthAttribute max => new(
                max,
                null,
                $"must have {max.Length} at most",
                max.Length > 0 ? schema => schema["max" + Measure(schema)] = max.Length : null
            ),
            LengthAttribute both => new(both, null, $"must have {both.MinimumLength} to {both.MaximumLength}", schema =>
            {
                schema["min" + Measure(schema)] = both.MinimumLength;
                schema["max" + Measure(schema)] = both.MaximumLength;
            }),
            StringLengthAttribute text => new(text, null, Explain(text), schema => Describe(schema, text)),
            RequiredAttribute required => new(required, null, WrongForm, schema => Describe(schema, required)),
            RegularExpressionAttribute pattern => new(pattern, Matches(pattern, patterns), WrongForm, schema =>
                schema["pattern"] = Whole(pattern.Pattern)
            ),
            AllowedValuesAttribute allowed => new(allowed, null, $"must be one of {Join(allowed.Values)}", schema =>
                schema["enum"] = Values(allowed.Values, options)
            ),
            DeniedValuesAttribute denied => new(denied, null, $"must be none of {Join(denied.Values)}", schema =>
                schema["not"] = new JsonObject { ["enum"] = Values(denied.Values, options) }
            ),
            EmailAddressAttribute => new(attribute, null, WrongForm, schema => schema["format"] = "email"),
            UrlAttribute => new(attribute, null, WrongForm, schema => schema["format"] = "uri"),
            Base64StringAttribute => new(attribute, null, WrongForm, schema => schema["contentEncoding"] = "base64"),

            // It says what a text is for, and checks nothing.
            DataTypeAttribute when attribute.GetType() == typeof(DataTypeAttribute) => new(attribute, null, WrongForm, _ => { }),
            _ => new(attribute, null, WrongForm, describe: null),
        };

    // A rule that derives from one of the known ones and checks something of its own checks what is not said.
    private static bool IsStock(ValidationAttribute rule) =>
        rule.GetType()
            .GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(method => method.Name == nameof(ValidationAttribute.IsValid))
            .All(method => method.DeclaringType!.Assembly == typeof(ValidationAttribute).Assembly);

    // The attribute itself would say the same at ten times the cost, as it converts each number. One that derives from it, or whose bounds
    // are no numbers or excluded, is asked itself.
    private static Func<object, bool>? WithinBounds(RangeAttribute range) =>
        range.GetType() != typeof(RangeAttribute) || range.MinimumIsExclusive || range.MaximumIsExclusive
            ? null
            : (range.Minimum, range.Maximum) switch
            {
                (double least, double most) => value =>
                    value is decimal number ? (double)number >= least && (double)number <= most : range.IsValid(value),
                (int least, int most) => value => value is int number ? number >= least && number <= most : range.IsValid(value),
                _ => null,
            };

    private static string Explain(RangeAttribute range) =>
        range switch
        {
            { MinimumIsExclusive: true, Maximum: double.MaxValue or int.MaxValue } => $"must be more than {range.Minimum}",
            { MinimumIsExclusive: true } or { MaximumIsExclusive: true } =>
                $"must be {(range.MinimumIsExclusive ? "more than" : "at least")} {range.Minimum}, "
                    + $"and {(range.MaximumIsExclusive ? "less than" : "at most")} {range.Maximum}",
            { Maximum: double.MaxValue or int.MaxValue } => $"must be {range.Minimum} at least",
            _ => $"must be from {range.Minimum} to {range.Maximum}",
        };

    private static Action<JsonObject>? DescriptionOf(RangeAttribute range) =>
        Number(range.Minimum) is null || Number(range.Maximum) is null ? null : schema => Describe(schema, range);

    private static void Describe(JsonObject schema, RangeAttribute range)
    {
        if (range.Minimum is not (double.MinValue or int.MinValue))
        {
            schema[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = Number(range.Minimum);
        }

        if (range.Maximum is not (double.MaxValue or int.MaxValue))
        {
            schema[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = Number(range.Maximum);
        }
    }

    // Bounds of other types, such as dates, are texts.
    private static JsonValue? Number(object bound) =>
        bound is int whole ? JsonValue.Create(whole)
        : bound is double number ? JsonValue.Create(number)
        : decimal.TryParse(bound as string, NumberStyles.Number, CultureInfo.InvariantCulture, out var text) ? JsonValue.Create(text)
        : null;

    private static string Explain(StringLengthAttribute text) =>
        text.MinimumLength == 0
            ? $"must have {text.MaximumLength} characters at most"
            : $"must have {text.MinimumLength} to {text.MaximumLength} characters";

    private static void Describe(JsonObject schema, StringLengthAttribute text)
    {
        if (text.MinimumLength > 0)
        {
            schema["minLength"] = text.MinimumLength;
        }

        schema["maxLength"] = text.MaximumLength;
    }

    private static void Describe(JsonObject schema, RequiredAttribute required)
    {
        if (!required.AllowEmptyStrings && Measure(schema) == "Length")
        {
            schema["pattern"] = @"\S";
        }
    }

    // The attribute would interpret its pattern anew for each text. All of the text has to match, as it has it. An enumeration allocates no
    // match.
    private static Func<object, bool>? Matches(RegularExpressionAttribute attribute, ConcurrentDictionary<string, Regex> patterns)
    {
        if (attribute.GetType() != typeof(RegularExpressionAttribute))
        {
            return null;
        }

        var pattern = patterns.GetOrAdd(attribute.Pattern, static text => new(text, RegexOptions.Compiled, TimeSpan.FromSeconds(2)));
        return value =>
        {
            if (value is not string text)
            {
                return attribute.IsValid(value);
            }

            foreach (var match in pattern.EnumerateMatches(text))
            {
                return match.Index == 0 && match.Length == text.Length;
            }

            return text.Length == 0;
        };
    }

    // The attribute asks for all of a text, and a schema's pattern for any part of it.
    private static string Whole(string pattern) =>
        pattern is ['^', .., '$'] && !pattern.Contains('|', StringComparison.Ordinal) ? pattern : $"^(?:{pattern})$";

    // Texts have a length, and dictionaries and lists have a number of members.
    private static string Measure(JsonObject schema) =>
        Is(schema, "string") ? "Length"
        : Is(schema, "object") ? "Properties"
        : "Items";

    private static bool Is(JsonObject schema, string type) =>
        schema["type"] is JsonArray types ? types.Any(one => one?.GetValue<string>() == type) : schema["type"]?.GetValue<string>() == type;

    private static JsonArray Values(object?[] values, JsonSerializerOptions options) =>
        new([
            .. values.Select(value => value is null ? null : JsonSerializer.SerializeToNode(value, options.GetTypeInfo(value.GetType()))),
        ]);

    private static string Join(object?[] values) =>
        string.Join(", ", values.Where(value => value is not null).Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));
}
