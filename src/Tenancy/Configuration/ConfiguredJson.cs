using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Configuration;

/// <summary>
/// Gives JSON that came through the configuration, where all is text and empty lists are empty texts, the form that its type has.
/// </summary>
internal static class ConfiguredJson
{
    public static JsonNode? Fit(JsonNode? node, JsonTypeInfo type) =>
        (type.Kind, node) switch
        {
            (JsonTypeInfoKind.Object, JsonObject fields) => Fit(fields, name => PropertyOf(type, name), type.Options),
            (JsonTypeInfoKind.Dictionary, JsonObject entries) => Fit(entries, _ => type.ElementType, type.Options),

            // Keys 0, 1, 2 look like those of a list.
            (JsonTypeInfoKind.Dictionary, JsonArray entries) => new JsonObject(
                entries.Select(
                    (entry, index) =>
                        KeyValuePair.Create(index.ToString(CultureInfo.InvariantCulture), Fit(entry, type.ElementType, type.Options))
                )
            ),
            (JsonTypeInfoKind.Enumerable, JsonArray items) => new JsonArray([
                .. items.Select(item => Fit(item, type.ElementType, type.Options)),
            ]),
            (JsonTypeInfoKind.Enumerable, JsonValue value) when IsText(value, out var text) && text.Length == 0 => new JsonArray(),
            (JsonTypeInfoKind.None, JsonValue value)
                when Is<bool>(type) && IsText(value, out var text) && bool.TryParse(text, out var boolean) => JsonValue.Create(boolean),
            (JsonTypeInfoKind.None, JsonValue value)
                when type.Type == typeof(string) && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => JsonValue.Create(
                value.GetValueKind().ToString()
            ),
            _ => node?.DeepClone(),
        };

    private static JsonObject Fit(JsonObject fields, Func<string, Type?> typeOf, JsonSerializerOptions options) =>
        new(fields.Select(field => KeyValuePair.Create(field.Key, Fit(field.Value, typeOf(field.Key), options))));

    private static JsonNode? Fit(JsonNode? node, Type? type, JsonSerializerOptions options) =>
        type is null ? node?.DeepClone() : Fit(node, options.GetTypeInfo(type));

    private static Type? PropertyOf(JsonTypeInfo type, string name)
    {
        var comparison = type.Options.PropertyNameCaseInsensitive ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return type.Properties.FirstOrDefault(property => property.Name.Equals(name, comparison))?.PropertyType;
    }

    private static bool Is<T>(JsonTypeInfo type) => (Nullable.GetUnderlyingType(type.Type) ?? type.Type) == typeof(T);

    private static bool IsText(JsonValue value, out string text)
    {
        var isText = value.GetValueKind() == JsonValueKind.String;
        text = isText ? value.ToString() : "";
        return isText;
    }
}
