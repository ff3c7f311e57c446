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
    /// <summary>Finds what a type does not know.</summary>
    /// <returns>The unknown fields as they lie in the object, as JSON; null where there are none, which is nearly always.</returns>
    public static string? Of(string json, JsonTypeInfo type)
    {
        using var document = JsonDocument.Parse(json);
        return Find(document.RootElement, type)?.ToJsonString();
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

    private static JsonObject? Find(JsonElement element, JsonTypeInfo type)
    {
        if (element.ValueKind != JsonValueKind.Object || type.Kind is not (JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary))
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
