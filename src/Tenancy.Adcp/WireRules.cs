using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Adcp;

/// <summary>The rules that stand as attributes on wire records: checks them, and writes them into schemas.</summary>
internal sealed class WireRules
{
    private readonly ConcurrentDictionary<Type, Rule[]> _rules = [];
    private readonly ConcurrentDictionary<string, Regex> _patterns = new(StringComparer.Ordinal);
    private readonly JsonSerializerOptions _options;
    private readonly Func<Type, Rule[]> _read;

    public WireRules(JsonSerializerOptions options) => (_options, _read) = (options, Read);

    /// <summary>Finds the first place where a record breaks a rule: its JSON pointer (RFC 6901), and what is wrong there.</summary>
    public (string Pointer, string Message)? FindMistake(object value, Type type) => FindMistake(value, RulesOf(type));

    /// <summary>Writes the rules of a property into its schema.</summary>
    public static void Write(JsonObject schema, IEnumerable<object> attributes)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute)
            {
                case RangeAttribute range:
                    schema[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = Number(range.Minimum);
                    if (range.Maximum is not (double.MaxValue or int.MaxValue))
                    {
                        schema[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = Number(range.Maximum);
                    }

                    break;
                case MinLengthAttribute min:
                    schema["minItems"] = min.Length;
                    break;
                case MaxLengthAttribute max:
                    schema["maxItems"] = max.Length;
                    break;
                case RegularExpressionAttribute pattern:
                    schema["pattern"] = pattern.Pattern;
                    break;
                case AllowedValuesAttribute allowed:
                    schema["enum"] = new JsonArray([.. allowed.Values.Select(value => (JsonNode?)(value as string))]);
                    break;
            }
        }
    }

    private Rule[] RulesOf(Type type) => _rules.GetOrAdd(type, _read);

    private (string Pointer, string Message)? FindMistake(object value, Rule[] rules)
    {
        foreach (var rule in rules)
        {
            if (FindMistake(rule, rule.Get(value)) is var (pointer, message))
            {
                return ($"/{rule.Name}{pointer}", message);
            }
        }

        return null;
    }

    private (string Pointer, string Message)? FindMistake(Rule rule, object? found)
    {
        if (found is null)
        {
            return rule.MayBeNull ? null : ("", $"{rule.Name} is required.");
        }

        foreach (var (isValid, attribute) in rule.Checks)
        {
            if (!isValid(found))
            {
                return ("", $"{rule.Name} {Explain(attribute)}.");
            }
        }

        return rule.IsObject ? FindMistake(found, RulesOf(found.GetType()))
            : rule.ItemsAreObjects ? FindInside((IEnumerable)found)
            : null;
    }

    private (string Pointer, string Message)? FindInside(IEnumerable items)
    {
        // Nearly all are lists, which are looked through without an enumerator.
        var list = items as IList ?? items.Cast<object?>().ToArray();
        var (type, rules) = (default(Type), Array.Empty<Rule>());
        for (var index = 0; index < list.Count; index++)
        {
            if (list[index] is not { } item)
            {
                return ($"/{index}", "It is null.");
            }

            // Items of a list are nearly always of one type.
            if (item.GetType() is var found && found != type)
            {
                (type, rules) = (found, RulesOf(found));
            }

            if (FindMistake(item, rules) is var (pointer, message))
            {
                return ($"/{index}{pointer}", message);
            }
        }

        return null;
    }

    // The attributes themselves would say the same at ten times the cost: one interprets its pattern anew for each text, the other converts
    // each number. An attribute that derives from one of the two, or whose bounds are no numbers, is asked itself.
    private Func<object, bool> Bind(ValidationAttribute attribute) =>
        attribute switch
        {
            RegularExpressionAttribute { Pattern: var text } when attribute.GetType() == typeof(RegularExpressionAttribute) => Matches(
                attribute,
                _patterns.GetOrAdd(text, Compile)
            ),
            RangeAttribute { Minimum: double least, Maximum: double most } range when IsPlain(range) => value =>
                value is decimal number ? (double)number >= least && (double)number <= most : attribute.IsValid(value),
            RangeAttribute { Minimum: int least, Maximum: int most } range when IsPlain(range) => value =>
                value is int number ? number >= least && number <= most : attribute.IsValid(value),
            _ => attribute.IsValid,
        };

    private static bool IsPlain(RangeAttribute range) =>
        range.GetType() == typeof(RangeAttribute) && range is { MinimumIsExclusive: false, MaximumIsExclusive: false };

    // All of the text has to match, as the attribute has it. An enumeration allocates no match.
    private static Func<object, bool> Matches(ValidationAttribute attribute, Regex pattern) =>
        value =>
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

    private static Regex Compile(string pattern) => new(pattern, RegexOptions.Compiled, TimeSpan.FromSeconds(2));

    private Rule[] Read(Type type) =>
        [
            .. _options
                .GetTypeInfo(type)
                .Properties.Where(property => property is { IsExtensionData: false, Get: not null })
                .Select(Read)
                .Where(rule => rule.Checks.Length > 0 || rule.IsObject || rule.ItemsAreObjects || !rule.MayBeNull),
        ];

    private Rule Read(JsonPropertyInfo property)
    {
        var kind = _options.GetTypeInfo(property.PropertyType);
        var attributes = property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? [];
        return new(
            property.Name,
            property.Get!,
            [.. attributes.Cast<ValidationAttribute>().Select(attribute => (Bind(attribute), attribute))],
            MayBeNull: property.IsGetNullable || property.PropertyType.IsValueType,
            IsObject: kind is { Kind: JsonTypeInfoKind.Object },
            ItemsAreObjects: kind is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element }
                && _options.GetTypeInfo(element) is { Kind: JsonTypeInfoKind.Object }
        );
    }

    private static string Explain(ValidationAttribute broken) =>
        broken switch
        {
            RangeAttribute { MinimumIsExclusive: true, Maximum: double.MaxValue or int.MaxValue } range =>
                $"must be more than {range.Minimum}",
            RangeAttribute { MinimumIsExclusive: true } or RangeAttribute { MaximumIsExclusive: true } => ExplainBounds(
                (RangeAttribute)broken
            ),
            RangeAttribute { Maximum: double.MaxValue or int.MaxValue } range => $"must be {range.Minimum} at least",
            RangeAttribute range => $"must be from {range.Minimum} to {range.Maximum}",
            MinLengthAttribute min => $"must have {min.Length} at least",
            MaxLengthAttribute max => $"must have {max.Length} at most",
            AllowedValuesAttribute allowed => $"must be one of {string.Join(", ", allowed.Values.OfType<string>())}",
            _ => "has a wrong form",
        };

    private static string ExplainBounds(RangeAttribute range) =>
        $"must be {(range.MinimumIsExclusive ? "more than" : "at least")} {range.Minimum}, "
        + $"and {(range.MaximumIsExclusive ? "less than" : "at most")} {range.Maximum}";

    private static JsonValue Number(object value) =>
        value is int whole ? JsonValue.Create(whole) : JsonValue.Create(Convert.ToDouble(value, CultureInfo.InvariantCulture));

    private sealed record Rule(
        string Name,
        Func<object, object?> Get,
        (Func<object, bool> IsValid, ValidationAttribute Attribute)[] Checks,
        bool MayBeNull,
        bool IsObject,
        bool ItemsAreObjects
    );
}
