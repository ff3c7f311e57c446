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
    public (string Pointer, string Message)? FindMistake(object value, Type type)
    {
        foreach (var rule in _rules.GetOrAdd(type, _read))
        {
            if (FindMistake(rule, rule.Property.Get!(value)) is var (pointer, message))
            {
                return ($"/{rule.Property.Name}{pointer}", message);
            }
        }

        return null;
    }

    /// <summary>Writes the rules of a property into its schema.</summary>
    public static void Write(JsonObject schema, IEnumerable<object> attributes)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute)
            {
                case RangeAttribute range:
                    schema["minimum"] = Number(range.Minimum);
                    if (range.Maximum is not (double.MaxValue or int.MaxValue))
                    {
                        schema["maximum"] = Number(range.Maximum);
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

    private (string Pointer, string Message)? FindMistake(Rule rule, object? found)
    {
        if (found is null)
        {
            return rule.Property.IsGetNullable ? null : ("", $"{rule.Property.Name} is required.");
        }

        foreach (var attribute in rule.Attributes)
        {
            if (!IsValid(attribute, found))
            {
                return ("", $"{rule.Property.Name} {Explain(attribute)}.");
            }
        }

        return rule.IsObject ? FindMistake(found, found.GetType())
            : rule.ItemsAreObjects ? FindInside((IEnumerable)found)
            : null;
    }

    private (string Pointer, string Message)? FindInside(IEnumerable items)
    {
        // Nearly all are lists, which are looked through without an enumerator.
        var list = items as IList ?? items.Cast<object?>().ToArray();
        for (var index = 0; index < list.Count; index++)
        {
            if ((list[index] is { } item ? FindMistake(item, item.GetType()) : ("", "It is null.")) is var (pointer, message))
            {
                return ($"/{index}{pointer}", message);
            }
        }

        return null;
    }

    // The attribute itself interprets its pattern anew for each text, at ten times the cost.
    private bool IsValid(ValidationAttribute attribute, object value) =>
        attribute is RegularExpressionAttribute { Pattern: var pattern } && value is string text
            ? text.Length == 0 || IsMatch(_patterns.GetOrAdd(pattern, Compile), text)
            : attribute.IsValid(value);

    // All of the text has to match, as the attribute has it. An enumeration allocates no match.
    private static bool IsMatch(Regex pattern, string text)
    {
        foreach (var match in pattern.EnumerateMatches(text))
        {
            return match.Index == 0 && match.Length == text.Length;
        }

        return false;
    }

    private static Regex Compile(string pattern) => new(pattern, RegexOptions.Compiled, TimeSpan.FromSeconds(2));

    private Rule[] Read(Type type) =>
        [
            .. _options
                .GetTypeInfo(type)
                .Properties.Where(property => property is { IsExtensionData: false, Get: not null })
                .Select(property => new Rule(
                    property,
                    [
                        .. (
                            property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? []
                        ).Cast<ValidationAttribute>(),
                    ],
                    _options.GetTypeInfo(property.PropertyType) is { Kind: JsonTypeInfoKind.Object },
                    _options.GetTypeInfo(property.PropertyType) is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element }
                        && _options.GetTypeInfo(element) is { Kind: JsonTypeInfoKind.Object }
                ))
                .Where(rule =>
                    rule.Attributes.Length > 0
                    || rule.IsObject
                    || rule.ItemsAreObjects
                    || rule.Property is { IsGetNullable: false, PropertyType.IsValueType: false }
                ),
        ];

    private static string Explain(ValidationAttribute broken) =>
        broken switch
        {
            RangeAttribute { Maximum: double.MaxValue or int.MaxValue } range => $"must be {range.Minimum} at least",
            RangeAttribute range => $"must be from {range.Minimum} to {range.Maximum}",
            MinLengthAttribute min => $"must have {min.Length} at least",
            MaxLengthAttribute max => $"must have {max.Length} at most",
            AllowedValuesAttribute allowed => $"must be one of {string.Join(", ", allowed.Values.OfType<string>())}",
            _ => "has a wrong form",
        };

    private static JsonValue Number(object value) =>
        value is int whole ? JsonValue.Create(whole) : JsonValue.Create(Convert.ToDouble(value, CultureInfo.InvariantCulture));

    private sealed record Rule(JsonPropertyInfo Property, ValidationAttribute[] Attributes, bool IsObject, bool ItemsAreObjects);
}
