using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Configuration;

/// <summary>
/// Goes through the fields of a record as its JSON form has them, with the attributes at its properties. Whoever compares or checks a
/// record by them finds a new field without being told of it.
/// </summary>
internal static class RecordFields
{
    /// <summary>Finds the fields in which two records differ, also within the records that they have.</summary>
    public static IEnumerable<FieldChange> Compare<T>(T before, T after, JsonTypeInfo<T> type)
        where T : notnull => Compare(before, after, type, place: "", Find(type.Type)?.Effects ?? ChangeEffects.Stored);

    /// <summary>Finds every value beyond the bounds that attributes set, in the records of a record, too.</summary>
    /// <param name="record">The record.</param>
    /// <param name="type">Its JSON form.</param>
    /// <param name="place">Where it is, as <see cref="FieldPath"/> says it; empty for the outermost record.</param>
    public static IEnumerable<TenantConfigError> Validate(object record, JsonTypeInfo type, string place = "")
    {
        foreach (var (field, fieldType) in Of(type))
        {
            var (name, value) = (FieldPath.Join(place, field.Name), field.Get!(record));
            if (Bounds.Of(field.AttributeProvider!).Explain(value, mayBeLeftOut: !field.IsRequired) is { } reason)
            {
                yield return new(name, reason);
            }

            foreach (var error in value is null ? [] : ValidateWithin(value, fieldType, name))
            {
                yield return error;
            }
        }
    }

    /// <summary>The fields of a type, each with the JSON form of its value.</summary>
    public static IEnumerable<(JsonPropertyInfo Field, JsonTypeInfo Type)> Of(JsonTypeInfo type) =>
        type.Properties.Where(field => field.Get is not null).Select(field => (field, type.Options.GetTypeInfo(field.PropertyType)));

    /// <summary>Whether values of a type have fields of their own.</summary>
    public static bool HasFields(JsonTypeInfo type) => type.Kind == JsonTypeInfoKind.Object;

    /// <summary>What a change of a field makes necessary.</summary>
    /// <param name="field">The field.</param>
    /// <param name="type">The JSON form of its value.</param>
    /// <param name="outer">What a change of the record makes necessary that has the field.</param>
    public static OnChangeAttribute OnChange(JsonPropertyInfo field, JsonTypeInfo type, ChangeEffects outer) =>
        Find(field.AttributeProvider!) ?? Find(type.Type) ?? new OnChangeAttribute(outer);

    /// <summary>The form of the records that a dictionary has by their names; null for what is no such dictionary.</summary>
    public static JsonTypeInfo? NamedRecords(JsonTypeInfo type) =>
        type is { Kind: JsonTypeInfoKind.Dictionary, ElementType: { } element }
        && type.Options.GetTypeInfo(element) is var form
        && HasFields(form)
            ? form
            : null;

    private static IEnumerable<TenantConfigError> ValidateWithin(object value, JsonTypeInfo type, string place)
    {
        if (HasFields(type))
        {
            return Validate(value, type, place);
        }

        return NamedRecords(type) is { } form && value is IDictionary records
            ? records.Keys.Cast<string>().SelectMany(name => ValidateNamed(records[name], form, FieldPath.Join(place, name)))
            : [];
    }

    // A serializer lets null pass as a value of a dictionary.
    private static IEnumerable<TenantConfigError> ValidateNamed(object? record, JsonTypeInfo form, string place) =>
        record is null ? [new(place, "must be an object, or be left out")] : Validate(record, form, place);

    private static IEnumerable<FieldChange> Compare(object before, object after, JsonTypeInfo type, string place, ChangeEffects outer)
    {
        foreach (var (field, fieldType) in Of(type))
        {
            var (left, right) = (field.Get!(before), field.Get!(after));
            if (AreSame(left, right, fieldType))
            {
                continue;
            }

            var rule = OnChange(field, fieldType, outer);
            if (left is not null && right is not null && HasFields(fieldType))
            {
                foreach (var change in Compare(left, right, fieldType, $"{place}{field.Name}.", rule.Effects))
                {
                    yield return change;
                }
            }
            else
            {
                yield return new(place + field.Name, rule.To is null || rule.To.Equals(right) ? rule.Effects : ChangeEffects.Stored);
            }
        }
    }

    // Two values are equal where their JSON is equal. That looks into lists and into the settings of a platform, and works for every type
    // of field but secrets, of which JSON has the names alone.
    private static bool AreSame(object? left, object? right, JsonTypeInfo type) =>
        (type.Kind == JsonTypeInfoKind.None && Equals(left, right))
        || type.Type != typeof(TenantSecrets)
            && JsonElement.DeepEquals(JsonSerializer.SerializeToElement(left, type), JsonSerializer.SerializeToElement(right, type));

    private static OnChangeAttribute? Find(ICustomAttributeProvider place) =>
        (OnChangeAttribute?)place.GetCustomAttributes(typeof(OnChangeAttribute), inherit: true).SingleOrDefault();
}

/// <summary>A field in which two records differ, and what the change makes necessary.</summary>
internal readonly record struct FieldChange(string Field, ChangeEffects Effects);
