using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Configuration;

/// <summary>Says what is wrong with a JSON text without the noise of the serializer's own message.</summary>
internal static partial class JsonErrors
{
    /// <param name="exception">What the serializer says.</param>
    /// <param name="type">What the text was read as; the explanation is better where it is known.</param>
    public static string Explain(JsonException exception, JsonTypeInfo? type = null)
    {
        var message = exception.Message;
        if (message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return "there is no such field; check its spelling" + SuggestName(exception, type);
        }

        if (message.Contains("could not be converted to", StringComparison.Ordinal))
        {
            return "the value has a wrong type, or is none of the known ones" + SuggestValue(exception, type);
        }

        if (
            message.Contains("missing required properties", StringComparison.Ordinal)
            && message.IndexOf(": ", StringComparison.Ordinal) is var colon and > 0
        )
        {
            return $"{message[(colon + 2)..].TrimEnd('.')} is required";
        }

        var end = message.IndexOf(" Path: $", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    /// <summary>The place of the error as a field name: <c>limits.maxSessions</c>; empty for the whole document.</summary>
    public static string Field(JsonException exception) => exception.Path is { Length: > 1 } path ? path[2..] : "";

    /// <summary>Says which field of a type a misspelt name may be meant for; empty where none is near.</summary>
    public static string SuggestName(string name, JsonTypeInfo? type) =>
        type is null ? "" : Spelling.Suggest(name, type.Properties.Select(property => property.Name));

    private static string SuggestName(JsonException exception, JsonTypeInfo? type) =>
        Names(exception) is [.. var place, var name] ? SuggestName(name, place.Aggregate(type, Step)) : "";

    private static string SuggestValue(JsonException exception, JsonTypeInfo? type) =>
        Names(exception).Aggregate(type, Step) switch
        {
            null => "",
            { Type.IsEnum: true } value => $": use one of {string.Join(", ", Values(value))}",
            { Kind: JsonTypeInfoKind.Enumerable } => ": use a list",
            { Kind: not JsonTypeInfoKind.None } => ": use an object",
            var value => SettingText.Of(value.Type) is { } text ? $": use {text.Form}" : "",
        };

    private static IEnumerable<JsonNode?> Values(JsonTypeInfo type) =>
        Enum.GetValues(type.Type).Cast<object>().Select(value => JsonSerializer.SerializeToNode(value, type));

    /// <summary>The names and indexes on the way to the error.</summary>
    private static string[] Names(JsonException exception) =>
        [.. PathSegment().Matches(exception.Path ?? "").Select(match => match.Groups.Values.Skip(1).Single(group => group.Success).Value)];

    private static JsonTypeInfo? Step(JsonTypeInfo? type, string name) =>
        type switch
        {
            { Kind: JsonTypeInfoKind.Object } => Find(type, name) is { } property ? type.Options.GetTypeInfo(property.PropertyType) : null,
            { ElementType: { } item } => type.Options.GetTypeInfo(item),
            _ => null,
        };

    private static JsonPropertyInfo? Find(JsonTypeInfo type, string name) =>
        type.Properties.FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex(@"\.([^.[]+)|\[(\d+)\]|\['(.*?)'\]")]
    private static partial Regex PathSegment();
}
