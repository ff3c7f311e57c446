namespace Tenancy.State;

/// <summary>Where a page of documents ends and the next one begins.</summary>
internal static class DocumentCursor
{
    private const int PositionLength = 60;
    private const int AccountLength = 43;

    /// <summary>Where the next page begins. A cursor that is none of ours begins at the first.</summary>
    public static (int Account, string Position) Read(string? cursor, IReadOnlyList<string> accounts)
    {
        if (IsPosition(cursor))
        {
            return (0, cursor!);
        }

        if (
            cursor is { Length: AccountLength + 1 + PositionLength }
            && cursor[AccountLength] == ':'
            && IsPosition(cursor[(AccountLength + 1)..])
        )
        {
            for (var account = 0; account < accounts.Count; account++)
            {
                if (cursor.StartsWith(accounts[account], StringComparison.Ordinal))
                {
                    return (account, cursor[(AccountLength + 1)..]);
                }
            }
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
