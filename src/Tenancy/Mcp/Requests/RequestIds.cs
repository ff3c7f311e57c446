using System.Text.Json;

namespace Tenancy.Mcp.Requests;

/// <summary>The ids of requests, in a form in which a request and its cancellation have the same one however they write it.</summary>
internal static class RequestIds
{
    /// <summary>Reads an id: a JSON text or number.</summary>
    public static string Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? "\"" + reader.GetString() : System.Text.Encoding.UTF8.GetString(json);
    }
}
