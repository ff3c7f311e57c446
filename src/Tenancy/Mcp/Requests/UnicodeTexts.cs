using System.Text.Json;
using System.Text.Unicode;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// Whether all texts of a JSON message are Unicode. What is not cannot be read, compared or written again, and would fail wherever it first
/// is.
/// </summary>
internal static class UnicodeTexts
{
    /// <summary>
    /// Looks at a message: its bytes are to be UTF-8, and what is escaped as surrogates is to be in pairs (RFC 8259, section 8).
    /// </summary>
    public static bool AreIn(ReadOnlySpan<byte> json) => Utf8.IsValid(json) && (!MayHaveSurrogates(json) || AreReadable(json));

    private static bool MayHaveSurrogates(ReadOnlySpan<byte> json) => json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0;

    private static bool AreReadable(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // Half a pair.
            return false;
        }
    }
}
