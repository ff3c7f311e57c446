using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Tenancy.Mcp.Platforms;

/// <summary>What stands at the place of a value that its type did not read.</summary>
internal static partial class UnreadPlace
{
    /// <summary>The type at a place; null where it is not known, as within an object that may be of several types.</summary>
    /// <param name="info">The type that the path starts from.</param>
    /// <param name="path">As a <see cref="System.Text.Json.JsonException"/> has it, without its <c>$</c>.</param>
    public static Type? TypeAt(JsonTypeInfo info, string path)
    {
        var type = info.Type;
        foreach (var step in Step().Matches(path).Select(found => found.Groups))
        {
            var within = info.Options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type);
            var name = step["name"].Success ? step["name"].Value : step["quoted"].Value;
            var next =
                within.Kind == JsonTypeInfoKind.Object
                    ? within.Properties.FirstOrDefault(property => property.Name == name)?.PropertyType
                    : within.ElementType;
            if (next is null)
            {
                return null;
            }

            type = next;
        }

        return Nullable.GetUnderlyingType(type) ?? type;
    }

    /// <summary>The least and the most that a type of numbers holds; null for other types, and those that hold infinity.</summary>
    public static (string Least, string Most)? RangeOf(Type type)
    {
        return !type.IsEnum && Type.GetTypeCode(type) is (>= TypeCode.SByte and <= TypeCode.UInt64) or TypeCode.Decimal
            ? (Bound("MinValue"), Bound("MaxValue"))
            : null;

        string Bound(string name) => Convert.ToString(type.GetField(name)!.GetValue(null), CultureInfo.InvariantCulture)!;
    }

    [GeneratedRegex(@"\.(?<name>[^.\[]+)|\['(?<quoted>.*?)'\]|\[\d+\]", RegexOptions.ExplicitCapture)]
    private static partial Regex Step();
}
