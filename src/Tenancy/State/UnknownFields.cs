using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.State;

/// <summary>
/// What a later release has written into a tenant's record and this one does not know. It is kept beside the record and written again with
/// each change, so that two releases can run side by side.
/// </summary>
internal static class UnknownFields
{
    private static readonly ConcurrentDictionary<JsonTypeInfo, (byte[] Name, Type Type)[]> Members = new();

    /// <summary>Finds what a type does not know.</summary>
    /// <returns>The unknown fields as they lie in the object, as JSON; null where there are none, which is nearly always.</returns>
    public static string? Of(ReadOnlySpan<byte> json, JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && HasUnknown(ref reader, type) ? Find(JsonElement.Parse(json), type)?.ToJsonString() : null;
    }

    /// <summary>
    /// Writes them into a record again. What was in an object that the record does not have any more goes with that object.
    /// </summary>
    public static string Add(string json, string? unknown)
    {
        if (unknown is null)
        {
            return json;
        }

        var record = JsonNode.Parse(json)!.AsObject();
        Merge(record, JsonNode.Parse(unknown)!.AsObject());
        return record.ToJsonString();
    }

    // All records are read when a node starts, and hardly one has such a field: no tree is made to see that.
    private static bool HasUnknown(ref Utf8JsonReader value, JsonTypeInfo type)
    {
        if (value.TokenType != JsonTokenType.StartObject || !HasMembers(type))
        {
            value.Skip();
            return false;
        }

        var members = type.Kind == JsonTypeInfoKind.Object ? Members.GetOrAdd(type, static type => ReadMembers(type)) : [];
        for (var expected = 0; value.Read() && value.TokenType == JsonTokenType.PropertyName; expected++)
        {
            var known = type.Kind == JsonTypeInfoKind.Dictionary ? type.ElementType : TypeOf(members, ref value, ref expected);
            if (known is null)
            {
                return true;
            }

            value.Read();
            if (value.TokenType != JsonTokenType.StartObject)
            {
                value.Skip();
            }
            else if (HasUnknown(ref value, type.Options.GetTypeInfo(known)))
            {
                return true;
            }
        }

        return false;
    }

    // Members are mostly written in the order in which the type has them, without those that are null.
    private static Type? TypeOf((byte[] Name, Type Type)[] members, ref Utf8JsonReader name, ref int expected)
    {
        for (var i = 0; i < members.Length; i++)
        {
            var at = (expected + i) % members.Length;
            if (name.ValueTextEquals(members[at].Name))
            {
                expected = at;
                return members[at].Type;
            }
        }

        var text = name.GetString()!;
        return Array.Find(members, member => Encoding.UTF8.GetString(member.Name).Equals(text, StringComparison.OrdinalIgnoreCase)).Type;
    }

    private static (byte[] Name, Type Type)[] ReadMembers(JsonTypeInfo type) =>
        [.. type.Properties.Select(property => (Encoding.UTF8.GetBytes(property.Name), property.PropertyType))];

    private static bool HasMembers(JsonTypeInfo type) => type.Kind is JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary;

    private static JsonObject? Find(JsonElement element, JsonTypeInfo type)
    {
        if (element.ValueKind != JsonValueKind.Object || !HasMembers(type))
        {
            return null;
        }

        JsonObject? found = null;
        foreach (var member in element.EnumerateObject())
        {
            var known = type.Kind == JsonTypeInfoKind.Dictionary ? type.ElementType : TypeOf(type, member);
            var inside =
                known is null ? JsonSerializer.SerializeToNode(member.Value, TenantStoreJson.Default.JsonElement)
                : member.Value.ValueKind == JsonValueKind.Object ? Find(member.Value, type.Options.GetTypeInfo(known))
                : null;
            if (inside is not null || known is null)
            {
                (found ??= [])[member.Name] = known is null ? new JsonObject { [Mark] = inside } : inside;
            }
        }

        return found;
    }

    // An unknown field stands in an object with this name, which tells it from one that has unknown fields inside.
    private const string Mark = "";

    private static Type? TypeOf(JsonTypeInfo type, JsonProperty member)
    {
        foreach (var property in type.Properties)
        {
            if (property.Name.Equals(member.Name, StringComparison.OrdinalIgnoreCase))
            {
                return property.PropertyType;
            }
        }

        return null;
    }

    private static void Merge(JsonObject into, JsonObject unknown)
    {
        foreach (var (name, value) in unknown)
        {
            if (value!.AsObject().TryGetPropertyValue(Mark, out var field))
            {
                into[name] = field?.DeepClone();
            }
            else if (into[name] is JsonObject inner)
            {
                Merge(inner, value.AsObject());
            }
        }
    }
}
