using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Adcp;

/// <summary>Checks the rules that stand as attributes on wire records. <see cref="RuleSchema"/> lists them.</summary>
internal sealed class WireRules
{
    private readonly ConcurrentDictionary<Type, Rule[]> _rules = [];
    private readonly ConcurrentDictionary<string, Regex> _patterns = new(StringComparer.Ordinal);
    private readonly JsonSerializerOptions _options;
    private readonly Func<Type, Rule[]> _read;

    public WireRules(JsonSerializerOptions options) => (_options, _read) = (options, Read);

    /// <summary>Finds the first place where a record breaks a rule: its JSON pointer (RFC 6901), and what is wrong there.</summary>
    public (string Pointer, string Message)? FindMistake(object value, Type type) => FindMistake(value, RulesOf(type));

    private Rule[] RulesOf(Type type) => _rules.GetOrAdd(type, _read);

    private static (string Pointer, string Message)? FindMistake(object value, Rule[] rules)
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

    private static (string Pointer, string Message)? FindMistake(Rule rule, object? found)
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

        return rule.Inside?.Invoke(found);
    }

    // What is in a value: the rules of a record, of the items of a list, or of the values of a dictionary; null where there are none.
    private Func<object, (string Pointer, string Message)?>? Inside(Type type)
    {
        var info = _options.GetTypeInfo(type);
        switch (info)
        {
            case { Kind: JsonTypeInfoKind.Object }:
                return found => FindMistake(found, RulesOf(found.GetType()));
            case { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } item }:
                var ofItem = Inside(item);
                var isRecord = _options.GetTypeInfo(item).Kind == JsonTypeInfoKind.Object;
                return isRecord ? found => FindInRecords((IEnumerable)found)
                    : ofItem is null && item.IsValueType ? null
                    : found => FindInItems((IEnumerable)found, item, ofItem);
            case { Kind: JsonTypeInfoKind.Dictionary, ElementType: { } value }:
                var ofValue = Inside(value);
                return ofValue is null && value.IsValueType ? null : found => FindInValues((IEnumerable)found, value, ofValue);
            case { Type: { IsEnum: true } kind } when !kind.IsDefined(typeof(FlagsAttribute), inherit: false):
                return found => Enum.IsDefined(kind, found) ? null : ("", "It has a value that there is not.");
            default:
                return Nullable.GetUnderlyingType(type) is { } underlying ? Inside(underlying) : null;
        }
    }

    private static (string Pointer, string Message)? FindInItems(
        IEnumerable items,
        Type type,
        Func<object, (string Pointer, string Message)?>? inside
    )
    {
        var list = items as IList ?? items.Cast<object?>().ToArray();
        for (var index = 0; index < list.Count; index++)
        {
            if (FindIn(list[index], type, inside) is var (pointer, message))
            {
                return (string.Create(CultureInfo.InvariantCulture, $"/{index}{pointer}"), message);
            }
        }

        return null;
    }

    private static (string Pointer, string Message)? FindInValues(
        IEnumerable entries,
        Type type,
        Func<object, (string Pointer, string Message)?>? inside
    )
    {
        // All dictionaries that can be read are such ones.
        foreach (DictionaryEntry entry in (IDictionary)entries)
        {
            if (FindIn(entry.Value, type, inside) is var (pointer, message))
            {
                return ($"/{Escape(entry.Key.ToString()!)}{pointer}", message);
            }
        }

        return null;
    }

    private static (string Pointer, string Message)? FindIn(
        object? item,
        Type type,
        Func<object, (string Pointer, string Message)?>? inside
    ) =>
        item is not null ? inside?.Invoke(item)
        : type.IsValueType ? null
        : ("", "It is null.");

    // RFC 6901, section 3.
    private static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private (string Pointer, string Message)? FindInRecords(IEnumerable items)
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
                .Where(rule => rule.Checks.Length > 0 || rule.Inside is not null || !rule.MayBeNull),
        ];

    private Rule Read(JsonPropertyInfo property)
    {
        var attributes = property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? [];
        return new(
            property.Name,
            property.Get!,
            [.. attributes.Cast<ValidationAttribute>().Select(attribute => (Bind(attribute), attribute))],
            MayBeNull: property.IsGetNullable || property.PropertyType.IsValueType,
            Inside(property.PropertyType)
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
            LengthAttribute both => $"must have {both.MinimumLength} to {both.MaximumLength}",
            StringLengthAttribute { MinimumLength: 0 } most => $"must have {most.MaximumLength} characters at most",
            StringLengthAttribute both => $"must have {both.MinimumLength} to {both.MaximumLength} characters",
            AllowedValuesAttribute allowed => $"must be one of {Join(allowed.Values)}",
            DeniedValuesAttribute denied => $"must be none of {Join(denied.Values)}",
            _ => "has a wrong form",
        };

    private static string Join(object?[] values) =>
        string.Join(", ", values.Where(value => value is not null).Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));

    private static string ExplainBounds(RangeAttribute range) =>
        $"must be {(range.MinimumIsExclusive ? "more than" : "at least")} {range.Minimum}, "
        + $"and {(range.MaximumIsExclusive ? "less than" : "at most")} {range.Maximum}";

    private sealed record Rule(
        string Name,
        Func<object, object?> Get,
        (Func<object, bool> IsValid, ValidationAttribute Attribute)[] Checks,
        bool MayBeNull,
        Func<object, (string Pointer, string Message)?>? Inside
    );
}
