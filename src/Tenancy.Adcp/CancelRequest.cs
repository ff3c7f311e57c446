using System.Buffers;
using System.Text.Json;

namespace Tenancy.Adcp;

/// <summary>
/// A request that ends a media buy. AdCP asks that everything else in it is ignored: a buyer that wants to stop must be able to, also where
/// a date in the request is none any more, or a field has a wrong type.
/// </summary>
internal static class CancelRequest
{
    private static readonly HashSet<string> Kept =
    [
        "account",
        "adcp_major_version",
        "adcp_version",
        "canceled",
        "cancellation_reason",
        "context",
        "idempotency_key",
        "media_buy_id",
    ];

    /// <summary>Leaves out of a request what is ignored. One that cancels nothing, or is no JSON, is as it was.</summary>
    public static ReadOnlySpan<byte> Reduce(ReadOnlySpan<byte> json)
    {
        if (!RequestMembers.TryFind(json, "canceled"u8, out var canceled) || canceled.ValueKind != JsonValueKind.True)
        {
            return json;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var output = new ArrayBufferWriter<byte>(json.Length);
            using var writer = new Utf8JsonWriter(output);
            writer.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject().Where(member => Kept.Contains(member.Name)))
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
            writer.Flush();
            return output.WrittenSpan;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // It breaks further on, or has escapes that are no Unicode: whoever reads it says so.
            return json;
        }
    }
}
