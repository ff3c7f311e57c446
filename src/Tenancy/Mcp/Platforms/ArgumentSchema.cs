using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Compares JSON with the schema that is listed for it, so that what is listed holds, and who broke it is told where. It knows what .NET
/// says of its types and of their validation attributes, and looks at bytes: no tree is made of a value for it.
/// </summary>
/// <remarks>
/// The types themselves would take more than they list: names of enumerations in another case, nothing where something must be. And what
/// they do not take they do not explain.
/// </remarks>
internal sealed class ArgumentSchema
{
    // Schemas that lead back to themselves without a value in between say nothing of null.
    private const int MaxDepth = 32;

    private readonly string[] _types;
    private readonly (string Name, byte[] Utf8Name, ArgumentSchema Schema)[] _members;
    private readonly bool[] _isRequired;
    private readonly ArgumentSchema[] _alternatives;
    private readonly ArgumentSchema? _items;
    private readonly ArgumentSchema? _values;
    private readonly bool _isClosed;
    private readonly SchemaRule[] _rules;
    private readonly Func<ArgumentSchema>? _reference;

    private ArgumentSchema(JsonElement schema, Document document)
    {
        var isWhole = schema.ValueKind == JsonValueKind.Object;
        _types = isWhole ? Texts(schema, "type") : [];
        var required = isWhole ? Texts(schema, "required") : [];
        var described = Member(schema, "properties") is { ValueKind: JsonValueKind.Object } members
            ? members.EnumerateObject().Select(member => (member.Name, Schema: document.Read(member.Value))).ToArray()
            : [];

        // What names the type of an object that may be of several is required beside them, and described within each.
        var others = required.Except(described.Select(member => member.Name)).Select(name => (Name: name, Schema: document.Read(default)));
        _members = [.. described.Concat(others).Select(member => (member.Name, Encoding.UTF8.GetBytes(member.Name), member.Schema))];
        _isRequired = [.. _members.Select(member => required.Contains(member.Name))];
        _alternatives = Member(schema, "anyOf") is { ValueKind: JsonValueKind.Array } any
            ? [.. any.EnumerateArray().Select(document.Read)]
            : [];
        _items = Member(schema, "items") is { } items ? document.Read(items) : null;
        var additional = Member(schema, "additionalProperties");
        _isClosed = additional is { ValueKind: JsonValueKind.False };
        _values = additional is { ValueKind: JsonValueKind.Object } values ? document.Read(values) : null;
        _rules = isWhole ? [.. SchemaRule.Read(schema)] : [];
        _reference = Member(schema, "$ref") is { ValueKind: JsonValueKind.String } reference
            ? () => document.Resolve(reference.GetString()!)
            : null;
    }

    /// <summary>Reads a schema.</summary>
    public static ArgumentSchema Read(JsonElement schema) => new Document(schema).Read(schema);

    /// <summary>Gets whether null is among what the schema takes.</summary>
    public bool MayBeNull => MayBeNullWithin(MaxDepth);

    /// <summary>The schema of a member; null where there is none of the name.</summary>
    public ArgumentSchema? Of(string member) => Array.Find(_members, one => one.Name == member).Schema;

    /// <summary>Says what is wrong with a value that was parsed; null where nothing is.</summary>
    public SchemaMistake? Find(JsonElement value)
    {
        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(value));
        reader.Read();
        var mayRepeat = false;
        return Find(ref reader, ref mayRepeat);
    }

    /// <summary>Says what is wrong with a value; null where nothing is.</summary>
    /// <param name="value">Stands at the first token of the value, and then at its last, unless something is wrong.</param>
    /// <param name="mayRepeat">
    /// Becomes true where the value has names that were not looked at, because the schema knows nothing of them, or has one twice.
    /// </param>
    public SchemaMistake? Find(ref Utf8JsonReader value, ref bool mayRepeat) =>
        _reference is not null ? _reference().Find(ref value, ref mayRepeat)
        : _types.Length == 0 && _alternatives.Length == 0 && _members.Length == 0 ? FindBrokenRule(value) ?? Pass(ref value, ref mayRepeat)
        : value.TokenType == JsonTokenType.Null
            ? (MayBeNull || _types.Length + _alternatives.Length == 0 ? null : new("", $"must be {Words()}, and not null"))
        : value.TokenType == JsonTokenType.String && _types.Length > 0 && !_types.Contains("string") ? FindInText(value)
        : _types.Length > 0 && !IsOfType(value) ? new("", $"must be {Words()}")
        : FindBrokenRule(value)
            ?? (
                _alternatives.Length == 0
                    ? FindWithin(ref value, ref mayRepeat)
                    : (_members.Length > 0 ? FindWithin(value, ref mayRepeat) : null) ?? FindInAlternatives(ref value, ref mayRepeat)
            );

    private bool MayBeNullWithin(int depth) =>
        depth > 0
        && (
            _reference is not null
                ? _reference().MayBeNullWithin(depth - 1)
                : _types.Contains("null") || _alternatives.Any(one => one.MayBeNullWithin(depth - 1))
        );

    private SchemaMistake? FindWithin(Utf8JsonReader value, ref bool mayRepeat) => FindWithin(ref value, ref mayRepeat);

    private SchemaMistake? FindWithin(ref Utf8JsonReader value, ref bool mayRepeat) =>
        value.TokenType switch
        {
            JsonTokenType.StartObject => FindInObject(ref value, ref mayRepeat),
            JsonTokenType.StartArray => FindInList(ref value, ref mayRepeat),
            _ => null,
        };

    private SchemaMistake? FindBrokenRule(Utf8JsonReader value)
    {
        foreach (var rule in _rules)
        {
            if (!rule.Holds(value))
            {
                return new("", rule.Text);
            }
        }

        return null;
    }

    private static SchemaMistake? Pass(ref Utf8JsonReader value, ref bool mayRepeat)
    {
        mayRepeat |= value.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
        value.Skip();
        return null;
    }

    // What went furthest is what was meant: the one whose type an object names, and is wrong in a member of that.
    private SchemaMistake? FindInAlternatives(ref Utf8JsonReader value, ref bool mayRepeat)
    {
        SchemaMistake? furthest = null;
        var at = -1L;
        foreach (var one in _alternatives)
        {
            var tried = value;
            if (one.Find(ref tried, ref mayRepeat) is not { } mistake)
            {
                value = tried;
                return null;
            }

            furthest =
                tried.BytesConsumed < at ? furthest
                : tried.BytesConsumed > at || furthest == mistake ? mistake
                : new(furthest!.Place == mistake.Place ? mistake.Place : "", "has a wrong form");
            at = Math.Max(at, tried.BytesConsumed);
        }

        return furthest;
    }

    // Models write numbers as texts, which the MCP SDK reads. It reads nothing else from a text.
    private SchemaMistake? FindInText(Utf8JsonReader value)
    {
        var mayRepeat = false;
        var text = value.ValueIsEscaped ? Encoding.UTF8.GetBytes(value.GetString()!) : value.ValueSpan;
        var inner = new Utf8JsonReader(text);
        return IsNumber(text) && inner.Read() ? Find(ref inner, ref mayRepeat) : new("", $"must be {Words()}");
    }

    private static bool IsNumber(ReadOnlySpan<byte> text)
    {
        try
        {
            // A reader passes over blanks, and whoever reads the number does not.
            var reader = new Utf8JsonReader(text);
            return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.ValueSpan.Length == text.Length;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private SchemaMistake? FindInObject(ref Utf8JsonReader value, ref bool mayRepeat)
    {
        Span<bool> seen = _members.Length <= 64 ? stackalloc bool[_members.Length] : new bool[_members.Length];
        while (value.Read() && value.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOf(ref value);
            var name = index < 0 ? value.GetString()! : _members[index].Name;
            if (index < 0 && _isClosed)
            {
                return new($".{name}", "is not known");
            }

            mayRepeat |= index < 0 || seen[index];
            value.Read();
            if (index >= 0)
            {
                seen[index] = true;
            }

            var mistake = (index < 0 ? _values : _members[index].Schema) is { } schema
                ? schema.Find(ref value, ref mayRepeat)
                : Pass(ref value, ref mayRepeat);
            if (mistake is not null)
            {
                return mistake.Below($".{name}");
            }
        }

        return FindMissing(seen) is { } missing ? new($".{missing}", "is required") : null;
    }

    private int IndexOf(ref Utf8JsonReader name)
    {
        for (var i = 0; i < _members.Length; i++)
        {
            if (name.ValueTextEquals(_members[i].Utf8Name))
            {
                return i;
            }
        }

        return -1;
    }

    private string? FindMissing(ReadOnlySpan<bool> seen)
    {
        for (var i = 0; i < seen.Length; i++)
        {
            // What may be null may be left out.
            if (_isRequired[i] && !seen[i] && !_members[i].Schema.MayBeNull)
            {
                return _members[i].Name;
            }
        }

        return null;
    }

    private SchemaMistake? FindInList(ref Utf8JsonReader value, ref bool mayRepeat)
    {
        if (_items is null)
        {
            return Pass(ref value, ref mayRepeat);
        }

        for (var index = 0; value.Read() && value.TokenType != JsonTokenType.EndArray; index++)
        {
            if (_items.Find(ref value, ref mayRepeat) is { } mistake)
            {
                return mistake.Below(string.Create(CultureInfo.InvariantCulture, $"[{index}]"));
            }
        }

        return null;
    }

    private bool IsOfType(Utf8JsonReader value)
    {
        foreach (var type in _types)
        {
            if (IsOf(value, type))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOf(Utf8JsonReader value, string type) =>
        (type, value.TokenType) switch
        {
            ("string", JsonTokenType.String) or ("number", JsonTokenType.Number) => true,
            ("integer", JsonTokenType.Number) => IsWhole(value),
            ("boolean", JsonTokenType.True or JsonTokenType.False) => true,
            ("array", JsonTokenType.StartArray) or ("object", JsonTokenType.StartObject) => true,
            _ => false,
        };

    // A number that is too large for a decimal is whole. One that is too small is 0 there, and is not.
    private static bool IsWhole(Utf8JsonReader value)
    {
        var text = value.ValueSpan;
        var digits = text.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var exponent ? text[..exponent] : text;
        return !value.TryGetDecimal(out var number)
            ? text.IndexOf("e-"u8) < 0 && text.IndexOf("E-"u8) < 0
            : decimal.IsInteger(number) && (number != 0 || !digits.ContainsAnyInRange((byte)'1', (byte)'9'));
    }

    private string Words() =>
        string.Join(
            " or ",
            _types
                .Where(type => type != "null")
                .Select(type =>
                    type switch
                    {
                        "string" => "a text",
                        "integer" => "a whole number",
                        "number" => "a number",
                        "boolean" => "true or false",
                        "array" => "a list",
                        _ => "an object",
                    }
                )
        );

    private static string[] Texts(JsonElement schema, string name) =>
        Member(schema, name) switch
        {
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } several => [.. several.EnumerateArray().Select(one => one.GetString()!)],
            _ => [],
        };

    private static JsonElement? Member(JsonElement schema, string name) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(name, out var value) ? value : null;

    /// <summary>The whole that references point into.</summary>
    private sealed class Document(JsonElement root)
    {
        private readonly ConcurrentDictionary<string, ArgumentSchema> _resolved = new(StringComparer.Ordinal);

        public ArgumentSchema Read(JsonElement schema) => new(schema, this);

        /// <summary>Finds what a JSON pointer names (RFC 6901); where that points on, what that names.</summary>
        public ArgumentSchema Resolve(string reference) => _resolved.GetOrAdd(reference, Find);

        private ArgumentSchema Find(string reference)
        {
            // A circle of references says nothing of a value, and would be gone around without end.
            var passed = new HashSet<string>(StringComparer.Ordinal);
            var found = Point(reference);
            while (Member(found, "$ref") is { ValueKind: JsonValueKind.String } next)
            {
                found = passed.Add(next.GetString()!) ? Point(next.GetString()!) : default;
            }

            return Read(found);
        }

        private JsonElement Point(string reference)
        {
            var found = root;
            foreach (var name in JsonPointer.Read(reference))
            {
                found =
                    found.ValueKind == JsonValueKind.Array && int.TryParse(name, CultureInfo.InvariantCulture, out var index)
                        ? found.EnumerateArray().ElementAtOrDefault(index)
                        : Member(found, name) ?? default;
            }

            return found;
        }
    }
}
