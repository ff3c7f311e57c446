using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Configuration;

/// <summary>Says what is wrong with a JSON text without the noise of the serializer's own message.</summary>
internal static class JsonErrors
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

        if (message.Contains("doesn't allow", StringComparison.Ordinal))
        {
            // The message has the property's name in .NET; the path has the field's.
            var field = Names(exception) is [.., var name] ? $"'{name}'" : Quoted(message);
            return $"{field} must not be null: leave it out, or give it a value";
        }

        if (message.Contains("Duplicate property", StringComparison.Ordinal))
        {
            return $"{Quoted(message)} stands twice: keep one";
        }

        if (IsSyntax(exception))
        {
            var place = $"line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}";
            return $"this is no JSON, at {place}: {BeforePlace(exception.Message)}";
        }

        return message.Contains(" type '", StringComparison.Ordinal) ? "it has a form that cannot be read" : BeforePlace(message);
    }

    // What the reader throws, or the serializer because of it. Everything else is JSON, and not what was asked for.
    private static bool IsSyntax(JsonException exception) =>
        exception.GetType() != typeof(JsonException) || exception.InnerException is JsonException;

    private static string BeforePlace(string message)
    {
        var end = message.IndexOf(" Path: $", StringComparison.Ordinal);
        end = end < 0 ? message.IndexOf(" LineNumber: ", StringComparison.Ordinal) : end;
        return end < 0 ? message : message[..end];
    }

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

    // What the serializer's message has in its first quotes: the name of the field. What comes after it are names of types.
    private static string Quoted(string message) => message.Split('\'') is [_, var name, ..] ? $"'{name}'" : "it";

    private static IEnumerable<JsonNode?> Values(JsonTypeInfo type) =>
        Enum.GetValues(type.Type).Cast<object>().Select(value => JsonSerializer.SerializeToNode(value, type));

    private static string[] Names(JsonException exception) => [.. FieldPath.Split(FieldPath.Of(exception))];

    private static JsonTypeInfo? Step(JsonTypeInfo? type, string name) =>
        type switch
        {
            { Kind: JsonTypeInfoKind.Object } => Find(type, name) is { } property ? type.Options.GetTypeInfo(property.PropertyType) : null,
            { ElementType: { } item } => type.Options.GetTypeInfo(item),
            _ => null,
        };

    private static JsonPropertyInfo? Find(JsonTypeInfo type, string name) =>
        type.Properties.FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
