using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Reads whole numbers however JSON writes them: 5, 5.0 and 5e0 are one integer in a schema.</summary>
internal sealed class WireWhole<T> : JsonConverter<T>
    where T : IBinaryInteger<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.Number)
        {
            throw new JsonException();
        }

        var text = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan;
        return T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : ReadOtherForm(reader, text);
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(decimal.CreateChecked(value));

    private static T ReadOtherForm(Utf8JsonReader reader, ReadOnlySpan<byte> text)
    {
        var digits = text.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var exponent ? text[..exponent] : text;

        // What is too small for a decimal is 0 there.
        if (
            reader.TryGetDecimal(out var number)
            && decimal.IsInteger(number)
            && (number != 0 || !digits.ContainsAnyInRange((byte)'1', (byte)'9'))
        )
        {
            var value = T.CreateSaturating(number);
            if (decimal.CreateChecked(value) == number)
            {
                return value;
            }
        }

        throw new JsonException();
    }
}
