using Tenancy.State;

namespace Tenancy.Tests.State;

/// <summary>A cursor comes back from a client, and reaches no account that its caller may not read.</summary>
public sealed class DocumentCursorTests
{
    private const string Position = "0000000000000042:" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_";
    private static readonly string First = new('a', 43);
    private static readonly string Second = new('b', 43);

    [Fact]
    public void A_cursor_leads_to_where_its_page_ended()
    {
        var member = $"{Second}:orders:{Position}";
        Assert.Equal((0, Position), DocumentCursor.Read(DocumentCursor.Write(member, isOneOfMany: false), [First]));
        Assert.Equal((1, Position), DocumentCursor.Read(DocumentCursor.Write(member, isOneOfMany: true), [First, Second]));
    }

    [Fact]
    public void A_cursor_of_an_account_that_is_no_longer_the_callers_goes_on_with_the_next()
    {
        var cursor = DocumentCursor.Write($"{Second}:orders:{Position}", isOneOfMany: true);
        Assert.Equal((1, ""), DocumentCursor.Read(cursor, [First, new('c', 43)]));
        Assert.Equal((1, ""), DocumentCursor.Read(cursor, [First]));
        Assert.Equal((0, ""), DocumentCursor.Read(cursor, []));
        Assert.Equal((0, ""), DocumentCursor.Read(cursor.ToUpperInvariant(), [First, Second]));
    }

    [Fact]
    public void Without_a_cursor_the_first_page_begins() => Assert.Equal((0, ""), DocumentCursor.Read(null, [First, Second]));

    public static TheoryData<string> Foreign =>
        [
            "",
            "0",
            Position[1..],
            Position + "x",
            Position.Replace(':', '-'),
            Position.Replace('_', '*'),
            Position.Replace('_', '['),
            Position.Replace('_', '\0'),
            Position.Replace('_', 'é'),
            Position.Replace('_', '٣'),
            "(" + Position[1..],
            $"{First}{Position}",
            $"{First}-{Position}",
            $"{First}:{Position[1..]}",
            $"{First[1..]}:{Position}",
            $"{First}:{Position.Replace('_', ' ')}",
            new string('x', 100_000),
        ];

    [Theory]
    [MemberData(nameof(Foreign))]
    public void A_cursor_that_is_none_of_ours_begins_at_the_first(string cursor) =>
        Assert.Equal((0, ""), DocumentCursor.Read(cursor, [First, Second]));
}
