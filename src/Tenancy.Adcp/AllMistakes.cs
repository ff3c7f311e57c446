using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Adcp;

/// <summary>
/// Finds all rules that a request breaks, so that a buyer can mend them at once. It is slow, and asked only where <see cref="WireRules"/>
/// found one.
/// </summary>
internal static class AllMistakes
{
    // A request may have a list in which nothing is right.
    private const int Most = 100;

    public static IReadOnlyList<AdcpException> Find(object request, JsonSerializerOptions options, WireRules rules) =>
        [.. Find(request, "", options, rules).Take(Most)];

    private static IEnumerable<AdcpException> Find(object value, string path, JsonSerializerOptions options, WireRules rules)
    {
        var fields = options.GetTypeInfo(value.GetType()).Properties.Where(field => field is { IsExtensionData: false, Get: not null });
        foreach (var field in fields)
        {
            var place = path.Length > 0 ? $"{path}.{field.Name}" : field.Name;
            var found = field.Get!(value);
            if (found is null)
            {
                if (!field.IsGetNullable && !field.PropertyType.IsValueType)
                {
                    yield return Mistake($"{field.Name} is required.", place, "required");
                }

                continue;
            }

            var broken = rules.Of(field).Where(rule => !rule.Holds(found)).ToArray();
            foreach (var rule in broken)
            {
                yield return Mistake($"{field.Name} {rule.Text}.", place, Keyword(rule.Attribute, found));
            }

            if (broken.Length == 0)
            {
                foreach (var inside in FindInside(found, place, options, rules))
                {
                    yield return inside;
                }
            }
        }
    }

    private static IEnumerable<AdcpException> FindInside(object value, string place, JsonSerializerOptions options, WireRules rules)
    {
        var type = options.GetTypeInfo(value.GetType());
        return type.Kind switch
        {
            JsonTypeInfoKind.Object => Find(value, place, options, rules),
            JsonTypeInfoKind.Enumerable => ((IEnumerable)value)
                .Cast<object?>()
                .SelectMany((item, index) => FindItem(item, $"{place}[{index}]", options, rules)),
            JsonTypeInfoKind.Dictionary when value is IDictionary entries => entries
                .Keys.Cast<object>()
                .SelectMany(name => FindItem(entries[name], $"{place}.{name}", options, rules)),
            _ => value is Enum kind && !Enum.IsDefined(kind.GetType(), kind)
                ? [Mistake("It has a value that there is not.", place, "enum")]
                : [],
        };
    }

    private static IEnumerable<AdcpException> FindItem(object? item, string place, JsonSerializerOptions options, WireRules rules) =>
        item is null ? [Mistake("It is null.", place, "type")] : FindInside(item, place, options, rules);

    private static AdcpException Mistake(string message, string place, string keyword) =>
        new(AdcpError.InvalidRequest, message, place) { Keyword = keyword };

    // The word of JSON Schema for what the tool's schema says of the field.
    private static string Keyword(ValidationAttribute rule, object value) =>
        rule switch
        {
            RangeAttribute { MinimumIsExclusive: true } range when IsBelow(range, value) => "exclusiveMinimum",
            RangeAttribute range when IsBelow(range, value) => "minimum",
            RangeAttribute { MaximumIsExclusive: true } => "exclusiveMaximum",
            RangeAttribute => "maximum",
            MinLengthAttribute => value is string ? "minLength" : "minItems",
            MaxLengthAttribute => value is string ? "maxLength" : "maxItems",
            LengthAttribute length => Count(value) < length.MinimumLength ? "minItems" : "maxItems",
            StringLengthAttribute => "maxLength",
            AllowedValuesAttribute => "enum",
            DeniedValuesAttribute => "not",
            EmailAddressAttribute or UrlAttribute => "format",
            _ => "pattern",
        };

    private static int Count(object value) => value is ICollection items ? items.Count : 0;

    private static bool IsBelow(RangeAttribute range, object value) =>
        value is IConvertible number
        && range.Minimum is IConvertible least
        && number.ToDouble(System.Globalization.CultureInfo.InvariantCulture)
            <= least.ToDouble(System.Globalization.CultureInfo.InvariantCulture);
}
