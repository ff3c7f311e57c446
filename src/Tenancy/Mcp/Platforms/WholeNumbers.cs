using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Whole numbers that are written with a fraction or an exponent, as <c>5.0</c> and <c>1e2</c>. They are integers in JSON Schema, and the
/// types of .NET do not read them.
/// </summary>
internal static class WholeNumbers
{
    /// <summary>Writes the whole numbers of a value plainly.</summary>
    /// <returns>Null where they are; and where it is no JSON.</returns>
    public static byte[]? WritePlainly(ReadOnlySpan<byte> json)
    {
        ArrayBufferWriter<byte>? written = null;
        var copied = 0;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && Plain(reader) is { } plain)
            {
                written ??= new(json.Length);
                written.Write(json[copied..(int)reader.TokenStartIndex]);
                Encoding.UTF8.GetBytes(plain, written);
                copied = (int)reader.BytesConsumed;
            }
        }

        written?.Write(json[copied..]);
        return written?.WrittenSpan.ToArray();
    }

    /// <summary>Whether a number is whole, however it is written.</summary>
    /// <remarks>One that is too large for a decimal is whole. One that is too small is 0 there, and is not.</remarks>
    public static bool IsWhole(Utf8JsonReader number)
    {
        var text = number.ValueSpan;
        if (!text.ContainsAny((byte)'.', (byte)'e', (byte)'E'))
        {
            return true;
        }

        var digits = text.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var exponent ? text[..exponent] : text;
        return !number.TryGetDecimal(out var value)
            ? text.IndexOf("e-"u8) < 0 && text.IndexOf("E-"u8) < 0
            : decimal.IsInteger(value) && (value != 0 || !digits.ContainsAnyInRange((byte)'1', (byte)'9'));
    }

    private static string? Plain(Utf8JsonReader number) =>
        number.ValueSpan.ContainsAny((byte)'.', (byte)'e', (byte)'E') && IsWhole(number) && number.TryGetDecimal(out var value)
            ? decimal.Truncate(value).ToString(CultureInfo.InvariantCulture)
            : null;
}
