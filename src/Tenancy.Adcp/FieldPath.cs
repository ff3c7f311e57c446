using System.Globalization;
using System.Text;

namespace Tenancy.Adcp;

/// <summary>The two ways in which AdCP says where in a request something is.</summary>
internal static class FieldPath
{
    /// <summary>
    /// Makes a path such as <c>packages[0].product_id</c> of a JSON pointer (RFC 6901). What is no pointer is a path already.
    /// </summary>
    public static string Of(string field)
    {
        if (!field.StartsWith('/'))
        {
            return field;
        }

        var path = new StringBuilder();
        foreach (var part in field[1..].Split('/'))
        {
            if (path.Length > 0 && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                path.Append(CultureInfo.InvariantCulture, $"[{index}]");
                continue;
            }

            path.Append(path.Length > 0 ? "." : "")
                .Append(part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
        }

        return path.ToString();
    }

    /// <summary>Makes a JSON pointer of a path.</summary>
    public static string ToPointer(string path) =>
        "/"
        + path.Replace("~", "~0", StringComparison.Ordinal)
            .Replace("/", "~1", StringComparison.Ordinal)
            .Replace("[", "/", StringComparison.Ordinal)
            .Replace("]", "", StringComparison.Ordinal)
            .Replace('.', '/');
}
