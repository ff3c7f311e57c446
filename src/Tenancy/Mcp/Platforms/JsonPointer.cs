using System.Globalization;
using System.Text.Json.Nodes;

namespace Tenancy.Mcp.Platforms;

/// <summary>References within a schema, which are JSON pointers in a fragment (RFC 6901, section 6).</summary>
internal static class JsonPointer
{
    /// <summary>The names on the way from the root to what a reference such as <c>#/properties/a~1b</c> leads to.</summary>
    public static IEnumerable<string> Read(string reference) =>
        reference
            .TrimStart('#')
            .Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select(part =>
                Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)
            );

    /// <summary>The reference to a place from the root of what it is in.</summary>
    public static string To(JsonNode place) =>
        place.Parent switch
        {
            null => "#",
            JsonArray list => string.Create(CultureInfo.InvariantCulture, $"{To(list)}/{place.GetElementIndex()}"),
            var named => $"{To(named)}/{Escape(place.GetPropertyName())}",
        };

    /// <summary>Whether a reference leads to a place, or to one within it.</summary>
    public static bool IsWithin(string? reference, string place) =>
        reference?.StartsWith(place, StringComparison.Ordinal) is true
        && (reference.Length == place.Length || reference[place.Length] == '/');

    /// <summary>
    /// Writes a reference of .NET's as a fragment of a URI has it: names on the way may have letters that no fragment takes.
    /// </summary>
    public static string ToFragment(string reference) =>
        reference is ['#', ..] ? "#" + string.Join('/', reference[1..].Split('/').Select(Uri.EscapeDataString)) : reference;

    private static string Escape(string name) =>
        Uri.EscapeDataString(name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
}
