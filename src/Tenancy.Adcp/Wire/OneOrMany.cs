using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>A list that may be written as its one item.</summary>
internal sealed class OneOrMany<T> : JsonConverter<IReadOnlyList<T>>, IOneOrMany
{
    /// <inheritdoc/>
    public override IReadOnlyList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        // The items' own converter, and not the serializer, so that a mistake is found at its place in the whole.
        var converter = Items(options);
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return [converter.Read(ref reader, typeof(T), options)!];
        }

        List<T> items = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(converter.Read(ref reader, typeof(T), options)!);
        }

        return items;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IReadOnlyList<T> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var item in value)
        {
            Items(options).Write(writer, item, options);
        }

        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    public JsonNode Schema(Func<Type, JsonNode> schemaOf) =>
        new JsonObject
        {
            ["anyOf"] = new JsonArray(
                schemaOf(typeof(T)),
                new JsonObject
                {
                    ["type"] = "array",
                    ["items"] = schemaOf(typeof(T)),
                    ["minItems"] = 1,
                }
            ),
        };

    private static JsonConverter<T> Items(JsonSerializerOptions options) => (JsonConverter<T>)options.GetConverter(typeof(T));
}

/// <summary>What the serializer itself can say nothing about in a schema.</summary>
internal interface IOneOrMany
{
    /// <summary>Describes both forms.</summary>
    JsonNode Schema(Func<Type, JsonNode> schemaOf);
}
