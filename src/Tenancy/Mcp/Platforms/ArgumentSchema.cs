using System.Buffers.Text;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Compares JSON with the schema that is listed for it, so that what is listed holds, and who broke it is told where. It knows what .NET
/// says of its types and of their validation attributes.
/// </summary>
internal sealed class ArgumentSchema
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(1);
    private static readonly EmailAddressAttribute Email = new();

    private readonly string[] _types;
    private readonly string[] _required;
    private readonly (string Name, ArgumentSchema Schema)[] _members;
    private readonly ArgumentSchema[] _alternatives;
    private readonly ArgumentSchema? _items;
    private readonly ArgumentSchema? _values;
    private readonly bool _isClosed;
    private readonly (Func<JsonElement, bool> Holds, string Text)[] _rules;
    private readonly Lazy<ArgumentSchema>? _reference;

    private ArgumentSchema(JsonElement schema, Document document)
    {
        var isWhole = schema.ValueKind == JsonValueKind.Object;
        _types = isWhole ? Texts(schema, "type") : [];
        _members = Member(schema, "properties") is { ValueKind: JsonValueKind.Object } members
            ? [.. members.EnumerateObject().Select(member => (member.Name, document.Read(member.Value)))]
            : [];

        // What may be null may be left out.
        _required =
        [
            .. (isWhole ? Texts(schema, "required") : []).Where(name =>
                !_members.Any(member => member.Name == name && member.Schema.MayBeNull)
            ),
        ];
        _alternatives = Member(schema, "anyOf") is { ValueKind: JsonValueKind.Array } any
            ? [.. any.EnumerateArray().Select(document.Read)]
            : [];
        _items = Member(schema, "items") is { } items ? document.Read(items) : null;
        var others = Member(schema, "additionalProperties");
        _isClosed = others is { ValueKind: JsonValueKind.False };
        _values = others is { ValueKind: JsonValueKind.Object } values ? document.Read(values) : null;
        _rules = isWhole ? [.. Rules(schema)] : [];
        _reference = Member(schema, "$ref") is { ValueKind: JsonValueKind.String } reference
            ? new(() => document.Resolve(reference.GetString()!))
            : null;
    }

    /// <summary>Reads the schema of a tool's arguments.</summary>
    public static ArgumentSchema Read(JsonElement schema) => new Document(schema).Read(schema);

    /// <summary>Gets the names of the arguments that may be null.</summary>
    public IEnumerable<string> Nullable => _members.Where(member => member.Schema.MayBeNull).Select(member => member.Name);

    private bool MayBeNull => _types.Contains("null") || _alternatives.Any(one => one.MayBeNull);

    /// <summary>Says what is wrong with a call's arguments; null where nothing is.</summary>
    public string? FindMistake(IDictionary<string, JsonElement>? arguments)
    {
        foreach (var name in _required)
        {
            if (arguments?.ContainsKey(name) is not true)
            {
                return $"{name} is required.";
            }
        }

        foreach (var (name, schema) in arguments is null ? [] : _members)
        {
            if (arguments!.TryGetValue(name, out var value) && schema.Find(value, name) is { } mistake)
            {
                return mistake;
            }
        }

        return null;
    }

    private string? Find(JsonElement value, string place)
    {
        if (_reference is not null)
        {
            return _reference.Value.Find(value, place);
        }

        if (_types.Length == 0 && _alternatives.Length == 0)
        {
            return FindBrokenRule(value, place);
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return MayBeNull ? null : $"{place} must be {Words()}, and not null.";
        }

        if (_alternatives.Length > 0)
        {
            return _alternatives.Any(one => one.Find(value, place) is null) ? null
                : _alternatives is [var only] ? only.Find(value, place)
                : $"{place} has a wrong form.";
        }

        // Models write numbers and lists as texts, which is taken as long as it is what is asked for.
        if (value.ValueKind == JsonValueKind.String && !_types.Contains("string"))
        {
            return TryParse(value.GetString()!, out var inner) && inner.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)
                ? Find(inner, place)
                : $"{place} must be {Words()}.";
        }

        return !_types.Any(type => Is(value, type))
            ? $"{place} must be {Words()}."
            : FindBrokenRule(value, place)
                ?? value.ValueKind switch
                {
                    JsonValueKind.Object => FindInObject(value, place),
                    JsonValueKind.Array => FindInList(value, place),
                    _ => null,
                };
    }

    private string? FindBrokenRule(JsonElement value, string place)
    {
        foreach (var (holds, text) in _rules)
        {
            if (!holds(value))
            {
                return $"{place} {text}.";
            }
        }

        return null;
    }

    private string? FindInObject(JsonElement value, string place)
    {
        foreach (var name in _required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                return $"{place}.{name} is required.";
            }
        }

        foreach (var member in value.EnumerateObject())
        {
            var known = Array.Find(_members, known => known.Name == member.Name).Schema;
            if (known is null && _isClosed)
            {
                return $"{place}.{member.Name} is not known.";
            }

            if ((known ?? _values)?.Find(member.Value, $"{place}.{member.Name}") is { } mistake)
            {
                return mistake;
            }
        }

        return null;
    }

    private string? FindInList(JsonElement value, string place)
    {
        var index = 0;
        foreach (var item in _items is null ? default : value.EnumerateArray())
        {
            if (_items!.Find(item, string.Create(CultureInfo.InvariantCulture, $"{place}[{index++}]")) is { } mistake)
            {
                return mistake;
            }
        }

        return null;
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

    private static bool Is(JsonElement value, string type) =>
        type switch
        {
            "string" => value.ValueKind == JsonValueKind.String,
            "integer" => value.ValueKind == JsonValueKind.Number && (!value.TryGetDecimal(out var number) || decimal.IsInteger(number)),
            "number" => value.ValueKind == JsonValueKind.Number,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "array" => value.ValueKind == JsonValueKind.Array,
            "object" => value.ValueKind == JsonValueKind.Object,
            _ => false,
        };

    private static IEnumerable<(Func<JsonElement, bool> Holds, string Text)> Rules(JsonElement schema)
    {
        foreach (var rule in schema.EnumerateObject())
        {
            if (RuleOf(rule.Name, rule.Value) is { } found)
            {
                yield return found;
            }
        }
    }

    private static (Func<JsonElement, bool> Holds, string Text)? RuleOf(string name, JsonElement bound) =>
        (name, bound.ValueKind) switch
        {
            ("minimum", JsonValueKind.Number) => (value => Compare(value, bound) >= 0, $"must be {bound} at least"),
            ("maximum", JsonValueKind.Number) => (value => Compare(value, bound) <= 0, $"must be {bound} at most"),
            ("exclusiveMinimum", JsonValueKind.Number) => (value => Compare(value, bound) > 0, $"must be more than {bound}"),
            ("exclusiveMaximum", JsonValueKind.Number) => (value => Compare(value, bound) < 0, $"must be less than {bound}"),
            ("minLength", JsonValueKind.Number) => (
                value => Length(value) is not { } count || count >= bound.GetInt64(),
                $"must have {bound} characters at least"
            ),
            ("maxLength", JsonValueKind.Number) => (
                value => Length(value) is not { } count || count <= bound.GetInt64(),
                $"must have {bound} characters at most"
            ),
            ("minItems" or "minProperties", JsonValueKind.Number) => (
                value => Count(value) is not { } count || count >= bound.GetInt64(),
                $"must have {bound} at least"
            ),
            ("maxItems" or "maxProperties", JsonValueKind.Number) => (
                value => Count(value) is not { } count || count <= bound.GetInt64(),
                $"must have {bound} at most"
            ),
            ("enum", JsonValueKind.Array) => (value => IsAmong(value, bound), $"must be one of {Join(bound)}"),
            ("not", JsonValueKind.Object) when Member(bound, "enum") is { ValueKind: JsonValueKind.Array } denied => (
                value => !IsAmong(value, denied),
                $"must be none of {Join(denied)}"
            ),
            ("const", _) => (value => JsonElement.DeepEquals(value, bound), $"must be {bound}"),
            ("pattern", JsonValueKind.String) => (Matches(new(bound.GetString()!, RegexOptions.None, PatternTime)), $"must match {bound}"),
            ("format", JsonValueKind.String) when bound.ValueEquals("email") => (
                value => Email.IsValid(Text(value)),
                "must be an e-mail address"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("uri") => (
                value => Text(value) is not { } text || Uri.TryCreate(text, UriKind.Absolute, out _),
                "must be an absolute URL"
            ),
            ("contentEncoding", JsonValueKind.String) when bound.ValueEquals("base64") => (
                value => Text(value) is not { } text || Base64.IsValid(text),
                "must be base64"
            ),
            _ => null,
        };

    private static Func<JsonElement, bool> Matches(Regex pattern) =>
        value =>
        {
            try
            {
                return Text(value) is not { } text || pattern.IsMatch(text);
            }
            catch (RegexMatchTimeoutException)
            {
                return false;
            }
        };

    // What is no number breaks no bound of numbers.
    private static int Compare(JsonElement value, JsonElement bound) =>
        value.ValueKind != JsonValueKind.Number ? 0
        : value.TryGetDecimal(out var one) && bound.TryGetDecimal(out var other) ? one.CompareTo(other)
        : value.GetDouble().CompareTo(bound.GetDouble());

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // JSON Schema counts characters, and not halves of them.
    private static long? Length(JsonElement value) => Text(value)?.EnumerateRunes().Count();

    private static long? Count(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => value.GetArrayLength(),
            JsonValueKind.Object => value.GetPropertyCount(),
            _ => null,
        };

    private static string Join(JsonElement values) =>
        string.Join(", ", values.EnumerateArray().Where(value => value.ValueKind != JsonValueKind.Null));

    private static bool IsAmong(JsonElement value, JsonElement values) =>
        values.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value));

    private static bool TryParse(string text, out JsonElement value)
    {
        try
        {
            value = JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            value = default;
            return false;
        }
    }

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

        /// <summary>Finds what a JSON pointer names (RFC 6901).</summary>
        public ArgumentSchema Resolve(string reference) => _resolved.GetOrAdd(reference, Find);

        private ArgumentSchema Find(string reference)
        {
            var found = root;
            foreach (var part in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                found =
                    found.ValueKind == JsonValueKind.Array ? found[int.Parse(name, CultureInfo.InvariantCulture)]
                    : found.TryGetProperty(name, out var next) ? next
                    : default;
            }

            return Read(found);
        }
    }
}
