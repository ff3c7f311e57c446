using System.Text;

namespace Tenancy.Tests.Mcp.Requests;

public sealed class RepeatedNamesTests
{
    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""{"\u0061":1,"\u0061":2}""")]
    [InlineData("""{"x":{"y":[0,{"a":1,"b":2,"a":3}]}}""")]
    [InlineData("""[[{"":1,"":2}]]""")]
    [InlineData("""{"😂":1,"\ud83d\ude02":2}""")]
    [InlineData("""{"a":{"a":1},"b":2,"a":3}""")]
    [InlineData("""{"a\/b":1,"a/b":2}""")]
    public void A_member_that_stands_twice_is_found_at_any_depth_and_however_it_is_written(string message) => Assert.True(AreIn(message));

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\"a\"")]
    [InlineData("""{"a":{"a":{"a":1}}}""")]
    [InlineData("""[{"a":1},{"a":1}]""")]
    [InlineData("""{"a":1,"A":2," a":3,"a\u0000":4}""")]
    [InlineData("""{"é":1,"e\u0301":2}""")]
    [InlineData("""{"a":"\"a\":1,\"a\":2"}""")]
    public void What_stands_once_in_its_object_is_not(string message) => Assert.False(AreIn(message));

    // It is no text that two readers read alike.
    [Theory]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"\ud800":1,"\udc00":2}""")]
    [InlineData("""{"\ud800":1,"\ud800":2}""")]
    public void A_name_with_half_a_surrogate_pair_breaks_nothing(string message) => Assert.Null(Record.Exception(() => AreIn(message)));

    [Fact]
    public void As_many_levels_are_read_as_a_message_may_have()
    {
        Assert.False(AreIn(Nested(64, "1")));
        Assert.True(AreIn(Nested(63, """{"a":1,"a":2}""")));
    }

    private static string Nested(int depth, string inner) =>
        string.Concat(Enumerable.Repeat("{\"n\":", depth)) + inner + new string('}', depth);

    private static bool AreIn(string message) => RepeatedNames.AreIn(Encoding.UTF8.GetBytes(message));
}
