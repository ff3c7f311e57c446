namespace Tenancy.Configuration;

/// <summary>Finds what somebody meant who misspelt a name.</summary>
internal static class Spelling
{
    /// <summary>The known name that is nearest to a misspelt one; null where none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        var (nearest, distance) = known
            .Select(other => (Name: other, Distance: Distance(name, other)))
            .DefaultIfEmpty(("", int.MaxValue))
            .MinBy(other => other.Item2);
        return distance <= Math.Max(1, name.Length / 3) ? nearest : null;
    }

    /// <summary>Says what may be meant; empty where no known name is near.</summary>
    public static string Suggest(string name, IEnumerable<string> known) =>
        Nearest(name, known) is { } nearest ? $": perhaps '{nearest}'" : "";

    /// <summary>How many letters have to be put in, taken out, replaced or swapped to make one word of another; case is nothing.</summary>
    // The optimal string alignment distance: the cell [i, j] is that of the first i letters of one word and the first j of the other.
    private static int Distance(string from, string to)
    {
        var cells = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                cells[i, j] =
                    i == 0 || j == 0
                        ? i + j
                        : Math.Min(
                            Math.Min(cells[i - 1, j], cells[i, j - 1]) + 1,
                            cells[i - 1, j - 1] + (AreSame(from[i - 1], to[j - 1]) ? 0 : 1)
                        );
                if (i > 1 && j > 1 && AreSame(from[i - 1], to[j - 2]) && AreSame(from[i - 2], to[j - 1]))
                {
                    cells[i, j] = Math.Min(cells[i, j], cells[i - 2, j - 2] + 1);
                }
            }
        }

        return cells[from.Length, to.Length];
    }

    private static bool AreSame(char left, char right) => char.ToUpperInvariant(left) == char.ToUpperInvariant(right);
}
