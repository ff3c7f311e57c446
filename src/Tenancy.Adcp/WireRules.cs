using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Adcp;

/// <summary>
/// The rules that stand as attributes on wire records: finds where a record breaks one. The schemas list the same rules, by
/// <see cref="Of"/>.
/// </summary>
internal sealed class WireRules
{
    private readonly ConcurrentDictionary<Type, Field[]> _fields = [];
    private readonly ConcurrentDictionary<(Type Type, string Name), WireRule[]> _rules = [];
    private readonly ConcurrentDictionary<string, Regex> _patterns = new(StringComparer.Ordinal);
    private readonly JsonSerializerOptions _options;
    private readonly Func<Type, Field[]> _read;

    public WireRules(JsonSerializerOptions options) => (_options, _read) = (options, Read);

    /// <summary>Finds the first place where a record breaks a rule: its JSON pointer (RFC 6901), and what is wrong there.</summary>
    public (string Pointer, string Message)? FindMistake(object value, Type type) => FindMistake(value, FieldsOf(type));

    /// <summary>The rules of a field.</summary>
    public WireRule[] Of(JsonPropertyInfo field) =>
        _rules.GetOrAdd((field.DeclaringType, field.Name), _ =>
            [
                .. (field.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? [])
                    .Cast<ValidationAttribute>()
                    .Select(attribute => WireRule.Read(attribute, _options, _patterns)),
            ]
        );

    private Field[] FieldsOf(Type type) => _fields.GetOrAdd(type, _read);

    private static (string Pointer, string Message)? FindMistake(object value, Field[] fields)
    {
        foreach (var field in fields)
        {
            if (FindMistake(field, field.Get(value)) is var (pointer, message))
            {
                return ($"/{field.Name}{pointer}", message);
            }
        }

        return null;
    }

    private static (string Pointer, string Message)? FindMistake(Field field, object? found)
    {
        if (found is null)
        {
            return field.MayBeNull ? null : ("", $"{field.Name} is required.");
        }

        foreach (var rule in field.Rules)
        {
            if (!rule.Holds(found))
            {
                return ("", $"{field.Name} {rule.Text}.");
            }
        }

        return field.Inside?.Invoke(found);
    }

    // What is in a value: the rules of a record, of the items of a list, or of the values of a dictionary; null where there are none.
    private Func<object, (string Pointer, string Message)?>? Inside(Type type)
    {
        var info = _options.GetTypeInfo(type);
        switch (info)
        {
            case { Kind: JsonTypeInfoKind.Object }:
                return found => FindMistake(found, FieldsOf(found.GetType()));
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
        foreach (var (name, value) in Entries(entries))
        {
            if (FindIn(value, type, inside) is var (pointer, message))
            {
                return ($"/{Escape(name)}{pointer}", message);
            }
        }

        return null;
    }

    private static IEnumerable<(string Name, object? Value)> Entries(IEnumerable entries)
    {
        // Nearly all dictionaries are such ones. A type of somebody's own may have nothing but pairs.
        if (entries is IDictionary dictionary)
        {
            foreach (DictionaryEntry entry in dictionary)
            {
                yield return (entry.Key.ToString()!, entry.Value);
            }

            yield break;
        }

        foreach (var pair in entries)
        {
            yield return ($"{Member(pair, "Key")}", Member(pair, "Value"));
        }
    }

    private static object? Member(object pair, string name) => pair.GetType().GetProperty(name)!.GetValue(pair);

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
        var (type, fields) = (default(Type), Array.Empty<Field>());
        for (var index = 0; index < list.Count; index++)
        {
            if (list[index] is not { } item)
            {
                return ($"/{index}", "It is null.");
            }

            // Items of a list are nearly always of one type.
            if (item.GetType() is var found && found != type)
            {
                (type, fields) = (found, FieldsOf(found));
            }

            if (FindMistake(item, fields) is var (pointer, message))
            {
                return ($"/{index}{pointer}", message);
            }
        }

        return null;
    }

    private Field[] Read(Type type) =>
        [
            .. _options
                .GetTypeInfo(type)
                .Properties.Where(property => property is { IsExtensionData: false, Get: not null })
                .Select(Read)
                .Where(field => field.Rules.Length > 0 || field.Inside is not null || !field.MayBeNull),
        ];

    private Field Read(JsonPropertyInfo property) =>
        new(
            property.Name,
            property.Get!,
            Of(property),
            MayBeNull: property.IsGetNullable || property.PropertyType.IsValueType,
            Inside(property.PropertyType)
        );

    private sealed record Field(
        string Name,
        Func<object, object?> Get,
        WireRule[] Rules,
        bool MayBeNull,
        Func<object, (string Pointer, string Message)?>? Inside
    );
}
