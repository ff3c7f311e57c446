using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tenancy.Adcp;

/// <summary>Members that requests have in common, whatever their type.</summary>
internal static partial class RequestMembers
{
    /// <summary>Whether a text can be an idempotency key.</summary>
    public static bool IsKey(string text) => KeyPattern().IsMatch(text);

    /// <summary>
    /// Finds a member of a request that could not be read as what it should be. No tree is made of the rest.
    /// </summary>
    /// <returns>False where there is none, and where the JSON ends or breaks before it.</returns>
    public static bool TryFind(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out JsonElement value)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isFound = reader.ValueTextEquals(name);
                reader.Read();
                if (isFound)
                {
                    value = JsonElement.ParseValue(ref reader);
                    return true;
                }

                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // What comes before the break was no such member.
        }

        value = default;
        return false;
    }

    [GeneratedRegex("^[A-Za-z0-9_.:-]{16,255}$")]
    private static partial Regex KeyPattern();
}
