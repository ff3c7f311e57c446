using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tenancy.State;

/// <summary>The one form in which equal JSON values are equal bytes: RFC 8785, JSON Canonicalization Scheme.</summary>
internal static class CanonicalJson
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly SearchValues<char> Escaped = SearchValues.Create([
        .. Enumerable.Range(0, 0x20).Select(code => (char)code),
        '"',
        '\\',
    ]);

    /// <summary>Writes a value in its canonical form, in UTF-8.</summary>
    /// <param name="value">The value.</param>
    /// <param name="omissions">Members that count for nothing.</param>
    /// <exception cref="FormatException">The value has half a surrogate pair, a number beyond a double, or a member twice: it has no
    /// canonical form.</exception>
    public static ReadOnlySpan<byte> Serialize(JsonElement value, params ReadOnlySpan<Omission> omissions)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        try
        {
            Write(output, value, omissions);
        }
        catch (InvalidOperationException exception)
        {
            // What reading such a text throws.
            throw new FormatException("A text with half a surrogate pair has no canonical form.", exception);
        }

        return output.WrittenSpan;
    }

    private static void Write(ArrayBufferWriter<byte> output, JsonElement value, ReadOnlySpan<Omission> omissions)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(output, value, omissions);
                break;
            case JsonValueKind.Array:
                WriteArray(output, value);
                break;
            case JsonValueKind.String:
                WriteString(output, value.GetString()!);
                break;
            case JsonValueKind.Number:
                WriteNumber(output, value);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new FormatException("A JSON value that is not there has no canonical form.");
        }
    }

    // Section 3.2.3: members are in the order of their names' UTF-16 code units, which is what ordinal comparison of strings is.
    private static void WriteObject(ArrayBufferWriter<byte> output, JsonElement value, ReadOnlySpan<Omission> omissions)
    {
        var members = new (string Name, JsonElement Value)[value.GetPropertyCount()];
        var count = 0;
        foreach (var member in value.EnumerateObject())
        {
            members[count++] = (member.Name, member.Value);
        }

        Array.Sort(members, static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        output.Write("{"u8);
        var isFirst = true;
        for (var i = 0; i < members.Length; i++)
        {
            var (name, member) = members[i];
            if (i > 0 && name == members[i - 1].Name)
            {
                throw new FormatException("A JSON object that has a member twice has no canonical form.");
            }

            var omission = Find(omissions, name);
            if (omission is { IsWhole: true })
            {
                continue;
            }

            output.Write(isFirst ? ""u8 : ","u8);
            isFirst = false;
            WriteString(output, name);
            output.Write(":"u8);
            Write(output, member, omission?.Within);
        }

        output.Write("}"u8);
    }

    private static Omission? Find(ReadOnlySpan<Omission> omissions, string name)
    {
        foreach (var omission in omissions)
        {
            if (omission.Name == name)
            {
                return omission;
            }
        }

        return null;
    }

    private static void WriteArray(ArrayBufferWriter<byte> output, JsonElement value)
    {
        output.Write("["u8);
        var isFirst = true;
        foreach (var item in value.EnumerateArray())
        {
            output.Write(isFirst ? ""u8 : ","u8);
            isFirst = false;
            Write(output, item, []);
        }

        output.Write("]"u8);
    }

    // Section 3.2.2.2: only what must be escaped is, and by the short form where there is one.
    private static void WriteString(ArrayBufferWriter<byte> output, string value)
    {
        output.Write("\""u8);
        var rest = value.AsSpan();
        while (rest.IndexOfAny(Escaped) is >= 0 and var next)
        {
            WriteUtf8(output, rest[..next]);
            WriteEscaped(output, rest[next]);
            rest = rest[(next + 1)..];
        }

        WriteUtf8(output, rest);
        output.Write("\""u8);
    }

    private static void WriteEscaped(ArrayBufferWriter<byte> output, char c) =>
        WriteUtf8(
            output,
            c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\f' => "\\f",
                '\r' => "\\r",
                _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            }
        );

    private static void WriteUtf8(ArrayBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty)
        {
            Utf8.GetBytes(text, output);
        }
    }

    // Section 3.2.2.3: numbers are IEEE 754 doubles, written as ECMAScript's Number.prototype.toString writes them.
    private static void WriteNumber(ArrayBufferWriter<byte> output, JsonElement value)
    {
        if (!value.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            throw new FormatException("A number that no double holds has no canonical form.");
        }

        WriteUtf8(output, EcmaScriptNumber.Format(number));
    }

    /// <summary>A member of an object that is left out, or of which members are.</summary>
    internal sealed class Omission(string name, params Omission[] within)
    {
        public string Name => name;

        public Omission[] Within => within;

        public bool IsWhole => within.Length == 0;
    }
}
