using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tenancy.Configuration;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// One rule of a schema beside its types, such as <c>minimum</c>. The rules are those that .NET writes for validation attributes.
/// </summary>
/// <param name="Holds">Whether a value keeps it. The reader stands at the value's first token.</param>
/// <param name="Text">What is said of a value that does not.</param>
internal sealed partial record SchemaRule(SchemaRule.Test Holds, string Text)
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(1);

    /// <summary>Looks at a value.</summary>
    internal delegate bool Test(Utf8JsonReader value);

    /// <summary>Reads the rules of a schema. What is no rule, or is not known, is left out.</summary>
    public static IEnumerable<SchemaRule> Read(JsonElement schema) =>
        schema.EnumerateObject().Select(member => Read(member.Name, member.Value)).OfType<SchemaRule>();

    private static SchemaRule? Read(string name, JsonElement bound) =>
        (name, bound.ValueKind) switch
        {
            ("minimum", JsonValueKind.Number) => new(value => Compare(value, bound) >= 0, $"must be {bound} at least"),
            ("maximum", JsonValueKind.Number) => new(value => Compare(value, bound) <= 0, $"must be {bound} at most"),
            ("exclusiveMinimum", JsonValueKind.Number) => new(
                value => !IsNumber(value) || Compare(value, bound) > 0,
                $"must be more than {bound}"
            ),
            ("exclusiveMaximum", JsonValueKind.Number) => new(
                value => !IsNumber(value) || Compare(value, bound) < 0,
                $"must be less than {bound}"
            ),
            ("minLength", JsonValueKind.Number) => OfLength(count => count >= bound.GetDouble(), $"must have {bound} characters at least"),
            ("maxLength", JsonValueKind.Number) => OfLength(count => count <= bound.GetDouble(), $"must have {bound} characters at most"),
            ("minItems" or "minProperties", JsonValueKind.Number) => OfCount(
                count => count >= bound.GetDouble(),
                $"must have {bound} at least"
            ),
            ("maxItems" or "maxProperties", JsonValueKind.Number) => OfCount(
                count => count <= bound.GetDouble(),
                $"must have {bound} at most"
            ),
            ("enum", JsonValueKind.Array) => new(Among([.. bound.EnumerateArray()]), $"must be one of {Join(bound)}"),
            ("not", JsonValueKind.Object) when bound.TryGetProperty("enum", out var denied) && denied.ValueKind == JsonValueKind.Array =>
                NoneOf(denied),
            ("const", _) => new(Among([bound]), $"must be {bound}"),
            ("pattern", JsonValueKind.String) => OfText(Matches(Compile(bound.GetString()!)), $"must match {bound}"),
            ("format", JsonValueKind.String) when bound.ValueEquals("email") => OfText(
                text => Email().IsMatch(text),
                "must be an e-mail address"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("uri") => OfText(
                text => AbsoluteUrl.TryParse(text, out _),
                "must be an absolute URL"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("uri-reference") => OfText(
                text => Uri.IsWellFormedUriString(text, UriKind.RelativeOrAbsolute),
                "must be a URL or a relative reference"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("date-time") => OfText(
                text => DateTimePattern().IsMatch(text),
                "must be a time with an offset, such as 2026-01-02T03:04:05Z"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("uuid") => OfText(
                text => Guid.TryParseExact(text, "D", out _),
                "must be a UUID"
            ),
            ("format", JsonValueKind.String) when bound.ValueEquals("date") => OfText(
                text => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
                "must be a date, such as 2026-01-02"
            ),
            ("contentEncoding", JsonValueKind.String) when bound.ValueEquals("base64") => OfText(
                text => Base64.IsValid(text),
                "must be base64"
            ),
            _ => null,
        };

    // What is no text keeps every rule of texts, and so with lists and numbers: that it is none is said by its type.
    private static SchemaRule OfText(Predicate<string> holds, string text) =>
        new(value => value.TokenType != JsonTokenType.String || holds(value.GetString()!), text);

    private static SchemaRule OfLength(Predicate<long> holds, string text) =>
        new(value => value.TokenType != JsonTokenType.String || holds(Length(value)), text);

    private static SchemaRule OfCount(Predicate<long> holds, string text) =>
        new(value => value.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray) || holds(Count(value)), text);

    private static SchemaRule NoneOf(JsonElement denied)
    {
        var isAmong = Among([.. denied.EnumerateArray()]);
        return new(value => !isAmong(value), $"must be none of {Join(denied)}");
    }

    private static Test Among(JsonElement[] values) =>
        Array.TrueForAll(values, value => value.ValueKind == JsonValueKind.String)
            ? AmongTexts([.. values.Select(value => value.GetString()!)])
            : value =>
            {
                var found = JsonElement.ParseValue(ref value);
                return Array.Exists(values, one => JsonElement.DeepEquals(one, found));
            };

    private static Test AmongTexts(string[] texts) =>
        value =>
        {
            if (value.TokenType != JsonTokenType.String)
            {
                return false;
            }

            foreach (var text in texts)
            {
                if (value.ValueTextEquals(text))
                {
                    return true;
                }
            }

            return false;
        };

    // A mailbox of RFC 5321 whose local part is not quoted: what validators of JSON Schema take for an e-mail address.
    [GeneratedRegex(
        @"^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
            + @"(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Email();

    // As RFC 3339 has it. Whether there is such a day is for the type to say.
    [GeneratedRegex(
        @"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,16})?(?:Z|[+-]\d{2}:\d{2})\z",
        RegexOptions.CultureInvariant | RegexOptions.ECMAScript
    )]
    private static partial Regex DateTimePattern();

    private static Regex Compile(string pattern) => new(PortablePattern.ForDotNet(pattern), RegexOptions.None, PatternTime);

    private static Predicate<string> Matches(Regex pattern) =>
        text =>
        {
            try
            {
                return pattern.IsMatch(text);
            }
            catch (RegexMatchTimeoutException)
            {
                return false;
            }
        };

    private static bool IsNumber(Utf8JsonReader value) => value.TokenType == JsonTokenType.Number;

    private static int Compare(Utf8JsonReader value, JsonElement bound) =>
        !IsNumber(value) ? 0
        : value.TryGetDecimal(out var one) && bound.TryGetDecimal(out var other) ? one.CompareTo(other)
        : value.GetDouble().CompareTo(bound.GetDouble());

    // JSON Schema counts characters, and not halves of them. Each has one byte in UTF-8 that continues no other.
    private static long Length(Utf8JsonReader value)
    {
        if (value.ValueIsEscaped)
        {
            return value.GetString()!.EnumerateRunes().Count();
        }

        var count = 0;
        foreach (var one in value.ValueSpan)
        {
            count += (one & 0xc0) == 0x80 ? 0 : 1;
        }

        return count;
    }

    private static long Count(Utf8JsonReader value)
    {
        var count = 0;
        while (value.Read() && value.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
        {
            count++;

            // From a member's name, or from the item itself, to the end of its value.
            value.Skip();
        }

        return count;
    }

    private static string Join(JsonElement values) =>
        string.Join(", ", values.EnumerateArray().Where(value => value.ValueKind != JsonValueKind.Null));
}
