using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Adcp;

/// <summary>The rules that stand as attributes on wire records: checks them, and writes them into schemas.</summary>
internal sealed class WireRules(JsonSerializerOptions options)
{
    private readonly ConcurrentDictionary<Type, Rule[]> _rules = [];

    /// <summary>Finds the first place where a record breaks a rule: its JSON pointer (RFC 6901), and what is wrong there.</summary>
    public (string Pointer, string Message)? FindMistake(object value, Type type, string pointer = "")
    {
        foreach (var rule in _rules.GetOrAdd(type, Read))
        {
            var found = rule.Property.Get!(value);
            if (found is null && rule.Property.IsGetNullable)
            {
                continue;
            }

            var place = $"{pointer}/{rule.Property.Name}";
            if (found is null)
            {
                return (place, $"{rule.Property.Name} is required.");
            }

            if (Array.Find(rule.Attributes, attribute => !attribute.IsValid(found)) is { } broken)
            {
                return (place, $"{rule.Property.Name} {Explain(broken)}.");
            }

            if (FindInside(found, rule, place) is { } mistake)
            {
                return mistake;
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

    private (string Pointer, string Message)? FindInside(object found, Rule rule, string place)
    {
        if (rule.IsObject)
        {
            return FindMistake(found, found.GetType(), place);
        }

        if (rule.ItemsAreObjects)
        {
            var index = 0;
            foreach (var item in (IEnumerable)found)
            {
                var itsPlace = $"{place}/{index++}";
                if ((item is null ? (itsPlace, "It is null.") : FindMistake(item, item.GetType(), itsPlace)) is { } mistake)
                {
                    return mistake;
                }
            }
        }

        return null;
    }

    private Rule[] Read(Type type) =>
    [
        .. options.GetTypeInfo(type).Properties
            .Where(property => property is { IsExtensionData: false, Get: not null })
            .Select(property => new Rule(
                property,
                [.. (property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? []).Cast<ValidationAttribute>()],
                options.GetTypeInfo(property.PropertyType) is { Kind: JsonTypeInfoKind.Object },
                options.GetTypeInfo(property.PropertyType) is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element } && options.GetTypeInfo(element) is { Kind: JsonTypeInfoKind.Object }))
            .Where(rule => rule.Attributes.Length > 0 || rule.IsObject || rule.ItemsAreObjects || rule.Property is { IsGetNullable: false, PropertyType.IsValueType: false }),
    ];

    private static string Explain(ValidationAttribute broken) => broken switch
    {
        RangeAttribute { Maximum: double.MaxValue or int.MaxValue } range => $"must be {range.Minimum} at least",
        RangeAttribute range => $"must be from {range.Minimum} to {range.Maximum}",
        MinLengthAttribute min => $"must have {min.Length} at least",
        MaxLengthAttribute max => $"must have {max.Length} at most",
        AllowedValuesAttribute allowed => $"must be one of {string.Join(", ", allowed.Values.OfType<string>())}",
        _ => "has a wrong form",
    };

    private static JsonValue Number(object value) => value is int whole ? JsonValue.Create(whole) : JsonValue.Create(Convert.ToDouble(value, CultureInfo.InvariantCulture));

    private sealed record Rule(JsonPropertyInfo Property, ValidationAttribute[] Attributes, bool IsObject, bool ItemsAreObjects);
}
