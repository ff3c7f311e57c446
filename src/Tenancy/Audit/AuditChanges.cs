using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Configuration;

namespace Tenancy.Audit;

/// <summary>
/// Says what the audit tells of a change of a tenant: each field with its value before and after, as the fields are defined.
/// </summary>
/// <remarks>
/// What is not known to be harmless is not told. Of a field that may be anything, such as a platform's settings, and of one that is marked
/// with <see cref="ConcealedAttribute"/>, only the names of its members are told.
/// </remarks>
internal static class AuditChanges
{
    /// <summary>What stands for a value that is not told.</summary>
    public const string Hidden = TenantSecrets.Hidden;

    private const int MaxChanges = 100;
    private const int MaxValue = 2048;
    private const int MaxName = 100;

    private static readonly JsonElement HiddenValue = Text(Hidden);

    /// <summary>The fields that differ.</summary>
    /// <param name="before">The tenant before; null where there was none.</param>
    /// <param name="after">The tenant after; null where there is none.</param>
    public static IReadOnlyList<AuditChange> Of(TenantConfig? before, TenantConfig? after) =>
        Limit(Compare(before, after, TenancyJson.Default.TenantConfig, place: ""));

    /// <summary>Values that are told although they belong to no field of a tenant, such as the name of a principal.</summary>
    public static IReadOnlyList<AuditChange> Told(params ReadOnlySpan<(string Field, string? Value)> values)
    {
        var changes = new List<AuditChange>();
        foreach (var (field, value) in values)
        {
            if (value is not null)
            {
                changes.Add(new(field, null, Shorten(Text(value))));
            }
        }

        return changes;
    }

    /// <summary>As <see cref="Told"/>, of what is there no more.</summary>
    public static IReadOnlyList<AuditChange> Gone(params ReadOnlySpan<(string Field, string? Value)> values) =>
        [.. Told(values).Select(static change => new AuditChange(change.Field, change.After, null))];

    private static AuditChange[] Limit(IEnumerable<AuditChange> changes)
    {
        var all = changes.ToArray();
        return all.Length <= MaxChanges ? all : [.. all[..MaxChanges], new("...", null, Text($"({all.Length - MaxChanges} more)"))];
    }

    private static IEnumerable<AuditChange> Compare(object? before, object? after, JsonTypeInfo type, string place)
    {
        foreach (var (field, fieldType) in RecordFields.Of(type))
        {
            var (left, right) = (Get(field, before), Get(field, after));
            var name = FieldPath.Join(place, field.Name);
            if (RecordFields.HasFields(fieldType))
            {
                foreach (var change in left is null && right is null ? [] : Compare(left, right, fieldType, name))
                {
                    yield return change;
                }

                continue;
            }

            if (fieldType.Type == typeof(TenantSecrets))
            {
                foreach (var change in Compare((TenantSecrets?)left, (TenantSecrets?)right, name))
                {
                    yield return change;
                }

                continue;
            }

            var (was, now) = (Write(left, fieldType), Write(right, fieldType));
            if (AreSame(was, now))
            {
                continue;
            }

            if (IsConcealed(field, fieldType))
            {
                foreach (var change in Conceal(was, now, name))
                {
                    yield return change;
                }
            }
            else
            {
                yield return new(name, Shorten(was), Shorten(now));
            }
        }
    }

    private static IEnumerable<AuditChange> Compare(TenantSecrets? before, TenantSecrets? after, string place) =>
        TenantSecrets
            .Differences(before, after)
            .Select(name => new AuditChange(FieldPath.Join(place, name), Hide(before, name), Hide(after, name)));

    private static JsonElement? Hide(TenantSecrets? secrets, string name) => secrets?.TryGet(name, out _) is true ? HiddenValue : null;

    private static bool IsConcealed(JsonPropertyInfo field, JsonTypeInfo type) =>
        type.Type == typeof(JsonElement)
        || type.Type == typeof(JsonElement?)
        || type.Type == typeof(object)
        || field.AttributeProvider?.IsDefined(typeof(ConcealedAttribute), inherit: true) is true;

    private static IEnumerable<AuditChange> Conceal(JsonElement? before, JsonElement? after, string place)
    {
        var (was, now) = (Members(before), Members(after));
        if (was is null || now is null)
        {
            yield return new(place, Hide(before), Hide(after));
            yield break;
        }

        foreach (var name in was.Keys.Union(now.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            JsonElement? left = was.TryGetValue(name, out var one) ? one : null;
            JsonElement? right = now.TryGetValue(name, out var other) ? other : null;
            if (!AreSame(left, right))
            {
                yield return new(FieldPath.Join(place, name.Length > MaxName ? name[..MaxName] : name), Hide(left), Hide(right));
            }
        }
    }

    // Null where it is no object, so that there are no names to tell.
    private static Dictionary<string, JsonElement>? Members(JsonElement? value) =>
        value is null ? []
        : value.Value.ValueKind == JsonValueKind.Object
            ? value.Value.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal)
        : null;

    private static bool AreSame(JsonElement? left, JsonElement? right) =>
        left is { } one && right is { } other ? JsonElement.DeepEquals(one, other) : left is null && right is null;

    private static JsonElement? Hide(JsonElement? value) => value is null ? null : HiddenValue;

    private static object? Get(JsonPropertyInfo field, object? record) => record is null ? null : field.Get!(record);

    private static JsonElement? Write(object? value, JsonTypeInfo type) =>
        value is null ? null : JsonSerializer.SerializeToElement(value, type);

    private static JsonElement? Shorten(JsonElement? value) =>
        value?.GetRawText() is { Length: > MaxValue } text ? Text($"({text.Length} characters)") : value;

    private static JsonElement Text(string text) => JsonSerializer.SerializeToElement(text, AuditTexts.Default.String);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class AuditTexts : System.Text.Json.Serialization.JsonSerializerContext;
