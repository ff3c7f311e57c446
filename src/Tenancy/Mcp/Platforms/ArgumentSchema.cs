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

    // What is read of a value for alternatives that it then is not. It may be twice as much with each level: beyond this it is refused.
    private const long MaxBytesInVain = 16 * 1024 * 1024;

    private readonly string[] _types;
    private readonly (string Name, byte[] Utf8Name, ArgumentSchema Schema)[] _members;
    private readonly bool[] _isRequired;
    private readonly bool _isConstant;
    private readonly ArgumentSchema[] _alternatives;
    private readonly Lazy<ObjectTypes> _objects;
    private readonly ArgumentSchema? _items;
    private readonly ArgumentSchema? _values;
    private readonly ArgumentSchema? _names;
    private readonly bool _isClosed;
    private readonly SchemaRule[] _rules;
    private readonly Func<ArgumentSchema>? _reference;
    private string? _words;

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
        _isConstant = Member(schema, "const") is not null;

        // References among them lead back to here, so that they are followed when all is read.
        _objects = new(() => ObjectTypes.Of(_alternatives));
        _items = Member(schema, "items") is { } items ? document.Read(items) : null;
        var additional = Member(schema, "additionalProperties");
        _isClosed = additional is { ValueKind: JsonValueKind.False };
        _values = additional is { ValueKind: JsonValueKind.Object } values ? document.Read(values) : null;
        _names = Member(schema, "propertyNames") is { ValueKind: JsonValueKind.Object } names ? document.Read(names) : null;
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
        var look = default(Look);
        return Find(ref reader, ref look);
    }

    /// <summary>Says what is wrong with a value; null where nothing is.</summary>
    /// <param name="value">Stands at the first token of the value, and then at its last, unless something is wrong.</param>
    /// <param name="mayRepeat">
    /// Becomes true where the value has names that were not looked at, because the schema knows nothing of them, or has one twice.
    /// </param>
    public SchemaMistake? Find(ref Utf8JsonReader value, ref bool mayRepeat)
    {
        var look = new Look { MayRepeat = mayRepeat };
        var mistake = Find(ref value, ref look);
        mayRepeat = look.MayRepeat;
        return mistake;
    }

    private SchemaMistake? Find(ref Utf8JsonReader value, ref Look look) =>
        _reference is not null ? _reference().Find(ref value, ref look)
        : _types.Length == 0 && _alternatives.Length == 0 && _members.Length == 0 ? FindBrokenRule(value) ?? Pass(ref value, ref look)
        : value.TokenType == JsonTokenType.Null
            ? (MayBeNull || _types.Length + _alternatives.Length == 0 ? null : new("", $"must be {Words()}, and not null"))
        : value.TokenType == JsonTokenType.String && _types.Length > 0 && !_types.Contains("string") ? FindInText(value)
        : _types.Length > 0 && !IsOfType(value) ? new("", $"must be {Words()}")
        : value.TokenType == JsonTokenType.Number && IsTooLarge(value) && !_types.Contains("integer") ? new("", "is out of range")
        : FindBrokenRule(value)
            ?? (
                _alternatives.Length == 0
                    ? FindWithin(ref value, ref look)
                    : (_members.Length > 0 ? FindWithin(value, ref look) : null) ?? FindInOneOf(ref value, ref look)
            );

    private bool MayBeNullWithin(int depth) =>
        depth > 0
        && (
            _reference is not null
                ? _reference().MayBeNullWithin(depth - 1)
                : _types.Contains("null") || _alternatives.Any(one => one.MayBeNullWithin(depth - 1))
        );

    private SchemaMistake? FindWithin(Utf8JsonReader value, ref Look look) => FindWithin(ref value, ref look);

    private SchemaMistake? FindWithin(ref Utf8JsonReader value, ref Look look) =>
        value.TokenType switch
        {
            JsonTokenType.StartObject => FindInObject(ref value, ref look),
            JsonTokenType.StartArray => FindInList(ref value, ref look),
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

    private static SchemaMistake? Pass(ref Utf8JsonReader value, ref Look look)
    {
        look.MayRepeat |= value.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
        value.Skip();
        return null;
    }

    // An object mostly names its type: then it is compared with that alone. To try all of them would take twice the time with each level.
    private SchemaMistake? FindInOneOf(ref Utf8JsonReader value, ref Look look)
    {
        if (value.TokenType != JsonTokenType.StartObject)
        {
            return FindInAlternatives(_alternatives, ref value, ref look);
        }

        var types = _objects.Value;
        return types.All.Length == 0 ? new("", $"must be {Words()}")
            : types.Name is null ? FindInAlternatives(types.All, ref value, ref look)
            : Choose(types, value, out var hasName) is { } type ? type.Find(ref value, ref look)
            : new($".{types.Name}", hasName ? "has a wrong form" : "is required");
    }

    private static ArgumentSchema? Choose(ObjectTypes types, Utf8JsonReader value, out bool hasName)
    {
        hasName = false;
        while (value.Read() && value.TokenType == JsonTokenType.PropertyName)
        {
            if (!value.ValueTextEquals(types.Name))
            {
                value.Skip();
                continue;
            }

            hasName = true;
            value.Read();
            foreach (var type in types.All)
            {
                if (type.Of(types.Name!) is { _isConstant: true } name && name.FindBrokenRule(value) is null)
                {
                    return type;
                }
            }

            break;
        }

        return types.Unnamed;
    }

    // What went furthest is what was meant.
    private static SchemaMistake? FindInAlternatives(ArgumentSchema[] alternatives, ref Utf8JsonReader value, ref Look look)
    {
        SchemaMistake? furthest = null;
        var at = -1L;
        foreach (var one in alternatives)
        {
            if (look.BytesInVain > MaxBytesInVain)
            {
                return new("", "is nested too deeply to be checked");
            }

            var tried = value;
            if (one.Find(ref tried, ref look) is not { } mistake)
            {
                value = tried;
                return null;
            }

            look.BytesInVain += tried.BytesConsumed - value.BytesConsumed;

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
        var look = default(Look);
        var text = value.ValueIsEscaped ? Encoding.UTF8.GetBytes(value.GetString()!) : value.ValueSpan;
        var inner = new Utf8JsonReader(text);
        return IsNumber(text) && inner.Read() ? Find(ref inner, ref look) : new("", $"must be {Words()}");
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

    private SchemaMistake? FindInObject(ref Utf8JsonReader value, ref Look look)
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

            if (index < 0 && _names?.FindInName(name) is { } bad)
            {
                return bad.Below($".{name}");
            }

            look.MayRepeat |= index < 0 || seen[index];
            value.Read();
            if (index >= 0)
            {
                seen[index] = true;
            }

            var mistake = (index < 0 ? _values : _members[index].Schema) is { } schema
                ? schema.Find(ref value, ref look)
                : Pass(ref value, ref look);
            if (mistake is not null)
            {
                return mistake.Below($".{name}");
            }
        }

        return FindMissing(seen) is { } missing ? new($".{missing}", "is required") : null;
    }

    // The rules of texts hold for names. Rules look at values, so that the name is written as one.
    private SchemaMistake? FindInName(string name)
    {
        var text = new Utf8JsonReader(JsonSerializer.SerializeToUtf8Bytes(name, ToolJson.Default.String));
        text.Read();
        return FindBrokenRule(text) is { } mistake ? new("", $"is a name that is not taken: it {mistake.Text}") : null;
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

    private SchemaMistake? FindInList(ref Utf8JsonReader value, ref Look look)
    {
        if (_items is null)
        {
            return Pass(ref value, ref look);
        }

        for (var index = 0; value.Read() && value.TokenType != JsonTokenType.EndArray; index++)
        {
            if (_items.Find(ref value, ref look) is { } mistake)
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

    // It would become infinite, which no answer can say. Only an exponent or many digits make a number that large.
    private static bool IsTooLarge(Utf8JsonReader value) =>
        (value.ValueSpan.Length > 300 || value.ValueSpan.ContainsAny((byte)'e', (byte)'E')) && !double.IsFinite(value.GetDouble());

    private static bool IsOf(Utf8JsonReader value, string type) =>
        (type, value.TokenType) switch
        {
            ("string", JsonTokenType.String) or ("number", JsonTokenType.Number) => true,
            ("integer", JsonTokenType.Number) => WholeNumbers.IsWhole(value),
            ("boolean", JsonTokenType.True or JsonTokenType.False) => true,
            ("array", JsonTokenType.StartArray) or ("object", JsonTokenType.StartObject) => true,
            _ => false,
        };

    private string Words() =>
        _words ??= string.Join(
            " or ",
            AllTypes(MaxDepth)
                .Where(type => type != "null")
                .Distinct()
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

    private IEnumerable<string> AllTypes(int depth) =>
        depth == 0 ? []
        : _reference is not null ? _reference().AllTypes(depth - 1)
        : _types.Length > 0 ? _types
        : _alternatives.SelectMany(one => one.AllTypes(depth - 1));

    private static string[] Texts(JsonElement schema, string name) =>
        Member(schema, name) switch
        {
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } several => [.. several.EnumerateArray().Select(one => one.GetString()!)],
            _ => [],
        };

    private static JsonElement? Member(JsonElement schema, string name) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(name, out var value) ? value : null;

    /// <summary>What is noted on the way through a value.</summary>
    private struct Look
    {
        /// <summary>Whether there are names that were not looked at, or one twice.</summary>
        public bool MayRepeat;

        /// <summary>The bytes that were read for alternatives that the value is not.</summary>
        public long BytesInVain;
    }

    /// <summary>The alternatives that an object may be.</summary>
    /// <param name="All">All of them.</param>
    /// <param name="Name">The member by whose constant they are told apart; null where there is none.</param>
    /// <param name="Unnamed">The one without that member; null where all have it.</param>
    private sealed record ObjectTypes(ArgumentSchema[] All, string? Name, ArgumentSchema? Unnamed)
    {
        public static ObjectTypes Of(ArgumentSchema[] alternatives)
        {
            ArgumentSchema[] all =
            [
                .. alternatives
                    .Select(one => one._reference?.Invoke() ?? one)
                    .Where(one => one._types.Length == 0 || one._types.Contains("object")),
            ];
            foreach (
                var name in all.SelectMany(one => one._members).Where(member => member.Schema._isConstant).Select(member => member.Name)
            )
            {
                if (all.Where(one => one.Of(name) is not { _isConstant: true }).ToArray() is { Length: <= 1 } unnamed)
                {
                    return new(all, name, unnamed.FirstOrDefault());
                }
            }

            return new(all, Name: null, Unnamed: null);
        }
    }

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
