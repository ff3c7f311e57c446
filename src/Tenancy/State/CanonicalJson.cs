using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Tenancy.State;

/// <summary>The one form in which equal JSON values are equal bytes: RFC 8785, JSON Canonicalization Scheme.</summary>
/// <remarks>
/// It is written in one pass over the bytes, without a tree. Members are written as they come; where an object's are not in their order,
/// their bytes change places when the object ends.
/// </remarks>
internal ref struct CanonicalJson
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create([
        .. Enumerable.Range(0, 0x20).Select(code => (char)code),
        '"',
        '\\',
    ]);

    private Utf8JsonReader _json;
    private byte[] _output;
    private int _length;

    // The members of all objects that have begun and not ended, the innermost object's last.
    private readonly List<Member> _members = [];

    private CanonicalJson(ReadOnlySpan<byte> json)
    {
        _json = new(json);
        _output = new byte[json.Length + 64];
    }

    /// <summary>Writes a value in its canonical form, in UTF-8.</summary>
    /// <param name="json">The value: one JSON text, in UTF-8.</param>
    /// <param name="omissions">Members that count for nothing.</param>
    /// <exception cref="FormatException">
    /// The value has half a surrogate pair, bytes that are no UTF-8, a number beyond a double, or a member twice: it has no canonical form.
    /// </exception>
    /// <exception cref="JsonException">It is no JSON text, or deeper than 64 levels.</exception>
    public static ReadOnlySpan<byte> Serialize(ReadOnlySpan<byte> json, params ReadOnlySpan<OmittedMember> omissions)
    {
        var canonical = new CanonicalJson(json);
        try
        {
            canonical._json.Read();
            canonical.WriteValue(omissions);

            // A second value after the first is no JSON text: the reader says so.
            canonical._json.Read();
        }
        catch (InvalidOperationException exception)
        {
            // What reading such a text throws.
            throw new FormatException("A text with half a surrogate pair has no canonical form.", exception);
        }

        return canonical._output.AsSpan(0, canonical._length);
    }

    private void WriteValue(scoped ReadOnlySpan<OmittedMember> omissions)
    {
        switch (_json.TokenType)
        {
            case JsonTokenType.StartObject:
                WriteObject(omissions);
                break;
            case JsonTokenType.StartArray:
                WriteArray();
                break;
            case JsonTokenType.String:
                WriteText();
                break;
            case JsonTokenType.Number:
                WriteNumber();
                break;
            default:
                // true, false and null have one form each.
                Write(_json.ValueSpan);
                break;
        }
    }

    // Section 3.2.3: members are in the order of their names' UTF-16 code units, which is what ordinal comparison of strings is.
    private void WriteObject(scoped ReadOnlySpan<OmittedMember> omissions)
    {
        var (first, isInOrder) = (_members.Count, true);
        Write("{"u8);
        var start = _length;
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var name = _json.GetString()!;
            var omission = Find(omissions, name);
            isInOrder = isInOrder && (_members.Count == first || string.CompareOrdinal(_members[^1].Name, name) < 0);
            if (omission is { IsWhole: true })
            {
                _json.Read();
                _json.Skip();
                _members.Add(new(name, 0, 0));
                continue;
            }

            if (_length > start)
            {
                Write(","u8);
            }

            var memberStart = _length;
            WriteText();
            Write(":"u8);
            _json.Read();
            WriteValue(omission?.Within);
            _members.Add(new(name, memberStart, _length - memberStart));
        }

        if (!isInOrder)
        {
            Sort(CollectionsMarshal.AsSpan(_members)[first..], start);
        }

        _members.RemoveRange(first, _members.Count - first);
        Write("}"u8);
    }

    private readonly void Sort(Span<Member> members, int start)
    {
        members.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        var before = ArrayPool<byte>.Shared.Rent(_length - start);
        _output.AsSpan(start, _length - start).CopyTo(before);
        var end = start;
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0 && members[i].Name == members[i - 1].Name)
            {
                throw new FormatException("A JSON object that has a member twice has no canonical form.");
            }

            if (members[i].Length == 0)
            {
                continue;
            }

            if (end > start)
            {
                _output[end++] = (byte)',';
            }

            before.AsSpan(members[i].Start - start, members[i].Length).CopyTo(_output.AsSpan(end));
            end += members[i].Length;
        }

        ArrayPool<byte>.Shared.Return(before);
    }

    private static OmittedMember? Find(ReadOnlySpan<OmittedMember> omissions, string name)
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

    private void WriteArray()
    {
        Write("["u8);
        var start = _length;
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_length > start)
            {
                Write(","u8);
            }

            WriteValue([]);
        }

        Write("]"u8);
    }

    // Section 3.2.2.2: only what must be escaped is, and by the short form where there is one. What came without an escape needs none.
    private void WriteText()
    {
        Write("\""u8);
        if (_json.ValueIsEscaped)
        {
            WriteEscaped(_json.GetString());
        }
        else if (Utf8.IsValid(_json.ValueSpan))
        {
            Write(_json.ValueSpan);
        }
        else
        {
            throw new FormatException("A text that is no UTF-8 has no canonical form.");
        }

        Write("\""u8);
    }

    private void WriteEscaped(ReadOnlySpan<char> rest)
    {
        while (rest.IndexOfAny(Escaped) is >= 0 and var next)
        {
            Write(rest[..next]);
            Write(Escape(rest[next]));
            rest = rest[(next + 1)..];
        }

        Write(rest);
    }

    private static string Escape(char c) =>
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
        };

    // Section 3.2.2.3: numbers are IEEE 754 doubles, written as ECMAScript's Number.prototype.toString writes them.
    private void WriteNumber()
    {
        if (!_json.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            throw new FormatException("A number that no double holds has no canonical form.");
        }

        Write(EcmaScriptNumber.Format(number));
    }

    private void Write(ReadOnlySpan<char> text) =>
        _length += Encoding.UTF8.GetBytes(text, Space(Encoding.UTF8.GetMaxByteCount(text.Length)));

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Space(bytes.Length));
        _length += bytes.Length;
    }

    private Span<byte> Space(int length)
    {
        if (_output.Length - _length < length)
        {
            Array.Resize(ref _output, Math.Max(_output.Length * 2, _length + length));
        }

        return _output.AsSpan(_length);
    }

    /// <summary>Where a member stands in what was written; nothing long where it is left out.</summary>
    private readonly record struct Member(string Name, int Start, int Length);
}
