namespace Tenancy.State;

/// <summary>Where a page of documents ends and the next one begins.</summary>
internal static class DocumentCursor
{
    private const int PositionLength = 60;
    private const int AccountLength = 43;

    /// <summary>Where the next page begins. A cursor that is none of ours begins at the first.</summary>
    /// <param name="cursor">The cursor.</param>
    /// <param name="accounts">
    /// The hashes of the accounts in their order, <see cref="StringComparer.Ordinal"/>: where the caller's accounts change between two
    /// pages, the next one begins after what was listed.
    /// </param>
    public static (int Account, string Position) Read(string? cursor, IReadOnlyList<string> accounts)
    {
        if (IsPosition(cursor))
        {
            return (0, accounts.Count == 1 ? cursor! : "");
        }

        if (
            cursor is { Length: AccountLength + 1 + PositionLength }
            && cursor[AccountLength] == ':'
            && IsPosition(cursor[(AccountLength + 1)..])
        )
        {
            var account = 0;
            while (account < accounts.Count && string.CompareOrdinal(accounts[account], cursor[..AccountLength]) < 0)
            {
                account++;
            }

            return (
                account,
                account < accounts.Count && cursor.StartsWith(accounts[account], StringComparison.Ordinal)
                    ? cursor[(AccountLength + 1)..]
                    : ""
            );
        }

        return (0, "");
    }

    /// <summary>The cursor after a member of the index: <c>account:collection:creation time:id hash</c>.</summary>
    public static string Write(string member, bool isOneOfMany) =>
        isOneOfMany ? $"{member[..AccountLength]}:{member[^PositionLength..]}" : member[^PositionLength..];

    // The end of an index member: 16 digits, a colon, a hash.
    private static bool IsPosition(string? cursor) =>
        cursor is { Length: PositionLength }
        && cursor[16] == ':'
        && cursor.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_');
}
