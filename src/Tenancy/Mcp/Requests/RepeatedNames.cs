using System.Text.Json;

namespace Tenancy.Mcp.Requests;

/// <summary>Looks for members that stand twice in one object of a message, at whatever depth.</summary>
/// <remarks>
/// RFC 8259 leaves it to the reader which of them counts, and readers differ: one could check the first and another act on the last. The
/// MCP SDK takes the last one, and fails on some: findings/mcp-csharp-sdk-repeated-member.sh.
/// </remarks>
internal static class RepeatedNames
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>Whether there are any in a message that was read before as JSON.</summary>
    public static bool AreIn(ReadOnlyMemory<byte> message)
    {
        try
        {
            using var document = JsonDocument.Parse(message, Strict);
            return false;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // It is JSON: all that can be wrong with it are repeated names, and names with half a surrogate pair, which nobody can compare.
            return true;
        }
    }
}
