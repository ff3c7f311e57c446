using System.Buffers;
using System.Text.Json;

namespace Tenancy.State;

/// <summary>How documents are stored.</summary>
internal static class DocumentJson
{
    /// <summary>
    /// The most levels of objects and lists within each other. Those who read an answer take 64 at most, and it has some around a document.
    /// </summary>
    public const int MaxDepth = 48;

    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>Writes a document.</summary>
    /// <exception cref="DocumentTooLargeException">It is nested so deeply that it could not be answered again.</exception>
    public static byte[] Write<T>(T document)
        where T : TenantDocument
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, new() { MaxDepth = MaxDepth });
        try
        {
            JsonSerializer.Serialize(writer, document, Options);
        }
        catch (Exception exception) when (exception is InvalidOperationException or JsonException && writer.CurrentDepth >= MaxDepth)
        {
            throw DocumentTooLargeException.OfDepth(typeof(T).Name, exception);
        }

        return json.WrittenSpan.ToArray();
    }

    public static T Read<T>(ReadOnlySpan<byte> json)
        where T : TenantDocument => JsonSerializer.Deserialize<T>(json, Options)!;
}
