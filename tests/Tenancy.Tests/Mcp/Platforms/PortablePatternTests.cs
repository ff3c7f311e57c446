using System.Text.RegularExpressions;
using Tenancy.Mcp.Platforms;

namespace Tenancy.Tests.Mcp.Platforms;

/// <summary>What is listed as a pattern is one to ECMA-262 with its flag u, and means the same here.</summary>
public sealed class PortablePatternTests
{
    [Theory]
    [InlineData(@"[a-z]+")]
    [InlineData(@"^\d{2,4}-\p{L}\u{1F600}$")]
    [InlineData(@"[\w\-.]+@[\w-]+")]
    [InlineData(@"(?<year>\d{4})\k<year>(?:a|b)(?=c)(?!d)(?<=e)(?<!f)")]
    [InlineData(@"[^\]\\]\/\{\}a{2}b{2,}")]
    [InlineData(@"[-+]?[0-9-]*")]
    public void What_both_understand_is_taken(string pattern) => Assert.Null(PortablePattern.FindForeign(pattern));

    [Theory]
    [InlineData(@"\A[a-z]", @"\A")]
    [InlineData(@"[a-z]\Z", @"\Z")]
    [InlineData(@"(?i)a", "(?i")]
    [InlineData(@"(?>a)", "(?>")]
    [InlineData(@"(?'n'a)", "(?'")]
    [InlineData(@"(?#c)", "(?#")]
    [InlineData(@"(?<n-m>a)", "(?<")]
    [InlineData(@"[a-z-[aeiou]]", "-[")]
    [InlineData(@"\p{IsCyrillic}", @"\p{Is")]
    [InlineData(@"\p{Lu}\p{IsCyrillic}", @"\p{Is")]
    [InlineData(@"[\w-\.]", @"\w-")]
    [InlineData(@"[+-\d]", @"-\d")]
    [InlineData(@"a\-b", @"\-")]
    [InlineData(@"\{a}", "}")]
    [InlineData(@"a{b", "{")]
    [InlineData(@"a]", "]")]
    [InlineData(@"[]a]", "[]")]
    [InlineData(@"\012", @"\01")]
    [InlineData(@"(?<y>a)|(?<y>b)", "(?<y>")]
    [InlineData("a\\", "\\")]
    public void What_only_dot_net_understands_is_found(string pattern, string foreign) =>
        Assert.Equal(foreign, PortablePattern.FindForeign(pattern)?[..foreign.Length]);

    [Theory]
    [InlineData(@"^\d$", "٣", false)]
    [InlineData(@"^\w$", "é", false)]
    [InlineData(@"^\W$", "é", true)]
    [InlineData(@"^[\d.]$", "٣", false)]
    [InlineData(@"^[\D]$", "٣", true)]
    [InlineData(@"^[^\W_]$", "é", false)]
    [InlineData(@"^[^\W_]$", "a", true)]
    [InlineData(@"^[\W]$", "_", false)]
    [InlineData(@"^a$", "a\n", false)]
    [InlineData(@"^[$]$", "$", true)]
    [InlineData(@"^\$$", "$", true)]
    public void It_finds_here_what_ecma_262_finds(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Regex.IsMatch(text, PortablePattern.ForDotNet(pattern)));
}
