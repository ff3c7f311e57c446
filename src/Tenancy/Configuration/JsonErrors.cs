using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>Says what is wrong with a JSON text without the noise of the serializer's own message.</summary>
internal static class JsonErrors
{
    public static string Explain(JsonException exception)
    {
        var message = exception.Message;
        if (message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return "there is no such field; check its spelling";
        }

        if (message.Contains("could not be converted to", StringComparison.Ordinal))
        {
            return "the value has a wrong type, or is none of the known ones";
        }

        if (message.Contains("missing required properties", StringComparison.Ordinal) && message.IndexOf(": ", StringComparison.Ordinal) is var colon and > 0)
        {
            return $"{message[(colon + 2)..].TrimEnd('.')} is required";
        }

        var end = message.IndexOf(" Path: $", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    /// <summary>The place of the error as a field name: <c>limits.maxSessions</c>; empty for the whole document.</summary>
    public static string Field(JsonException exception) => exception.Path is { Length: > 1 } path ? path[2..] : "";
}
