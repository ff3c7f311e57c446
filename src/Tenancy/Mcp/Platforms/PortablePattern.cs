using System.Text.RegularExpressions;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Patterns that mean the same to .NET and to those who read a schema, whose patterns are ECMA-262's (JSON Schema 2020-12, section 6.4),
/// mostly with its flag <c>u</c>. A client that cannot compile one pattern refuses the whole list of tools.
/// </summary>
internal static partial class PortablePattern
{
    // What may stand after a backslash: classes, letters by their names or numbers, references, and what would have a meaning without it.
    private const string Escapes = "dDwWsSbBfnrtv0cxupPk123456789^$\\.*+?()[]{}|/";

    /// <summary>Finds what only .NET understands.</summary>
    /// <returns>Null where there is nothing of that.</returns>
    public static string? FindForeign(string pattern)
    {
        var isInClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            var foreign = pattern[i] switch
            {
                '\\' => ForeignEscape(rest, isInClass),
                '[' when isInClass && pattern[i - 1] == '-' => "-[",
                '[' when !isInClass && (rest.StartsWith("[]") || rest.StartsWith("[^]")) => "[]",
                '(' when !isInClass && rest.StartsWith("(?") && !Group().IsMatch(rest) => rest[..Math.Min(3, rest.Length)].ToString(),
                '{' when !isInClass && !Count().IsMatch(rest) => "{",
                ']' or '}' when !isInClass => rest[..1].ToString(),
                '-' when isInClass && ClassAfterDash().IsMatch(rest) && pattern[i - 1] is not '[' and not '^' => rest[..3].ToString(),
                _ => null,
            };
            if (foreign is not null)
            {
                return foreign;
            }

            var length = LengthOf(rest, isInClass);
            isInClass = pattern[i] switch
            {
                '[' => true,
                ']' => false,
                _ => isInClass,
            };
            i += length - 1;
        }

        var names = Name().Matches(pattern).Select(name => name.Value).ToArray();
        return names.Distinct().Count() < names.Length ? names.GroupBy(name => name).First(same => same.Count() > 1).Key : null;
    }

    // An escape, or a count, is looked at as a whole.
    private static int LengthOf(ReadOnlySpan<char> rest, bool isInClass) =>
        rest[0] == '\\' && rest.Length > 2 && rest[1] is 'p' or 'P' or 'u' && rest[2] == '{' ? Math.Max(rest.IndexOf('}') + 1, 3)
        : rest[0] == '\\' ? 2
        : rest[0] == '{' && !isInClass ? rest.IndexOf('}') + 1
        : 1;

    /// <summary>
    /// Writes a pattern so that .NET finds what ECMA-262 finds: there <c>$</c> does not stand before a line break at the end, and digits
    /// and letters are those of ASCII.
    /// </summary>
    public static string ForDotNet(string pattern) =>
        Different()
            .Replace(pattern, found => found.Value switch
                {
                    "$" => @"\z",
                    @"\d" => "[0-9]",
                    @"\D" => "[^0-9]",
                    @"\w" => "[A-Za-z0-9_]",
                    @"\W" => "[^A-Za-z0-9_]",
                    ['[', ..] => InClass()
                        .Replace(found.Value, inner => inner.Value switch
                            {
                                @"\d" => "0-9",
                                @"\w" => "A-Za-z0-9_",
                                @"\D" => @"\x00-\x2F\x3A-\uFFFF",
                                @"\W" => @"\x00-\x2F\x3A-\x40\x5B-\x5E\x60\x7B-\uFFFF",
                                _ => inner.Value,
                            }),
                    _ => found.Value,
                });

    private static string? ForeignEscape(ReadOnlySpan<char> escape, bool isInClass) =>
        escape.Length < 2 ? "\\"
        : !Escapes.Contains(escape[1], StringComparison.Ordinal) && !(isInClass && escape[1] == '-') ? escape[..2].ToString()
        : escape[1] is 'p' or 'P' && escape[2..].StartsWith("{Is") ? escape[..5].ToString()
        : escape[1] == 'k' && !escape[2..].StartsWith("<") ? @"\k"
        : escape[1] == '0' && escape.Length > 2 && char.IsAsciiDigit(escape[2]) ? escape[..3].ToString()
        : isInClass && ClassBeforeDash().IsMatch(escape) ? escape[..3].ToString()
        : null;

    [GeneratedRegex(@"^\(\?(?:[:=!]|<[=!]|<[A-Za-z_]\w*>)", RegexOptions.CultureInvariant)]
    private static partial Regex Group();

    // A class of letters is no end of a range.
    [GeneratedRegex(@"^\\[dDwWsS]-[^\]]")]
    private static partial Regex ClassBeforeDash();

    [GeneratedRegex(@"^-\\[dDwWsSpP]")]
    private static partial Regex ClassAfterDash();

    [GeneratedRegex(@"\(\?<[A-Za-z_]\w*>")]
    private static partial Regex Name();

    [GeneratedRegex(@"^\{[0-9]+(?:,[0-9]*)?\}", RegexOptions.CultureInvariant)]
    private static partial Regex Count();

    [GeneratedRegex(@"\\.|\[(?:\\.|[^\]\\])*\]|\$", RegexOptions.Singleline)]
    private static partial Regex Different();

    [GeneratedRegex(@"\\.", RegexOptions.Singleline)]
    private static partial Regex InClass();
}
