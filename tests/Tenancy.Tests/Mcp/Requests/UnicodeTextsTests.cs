using System.Text;
using CsCheck;

namespace Tenancy.Tests.Mcp.Requests;

/// <summary>A text that is no Unicode is found wherever it stands in a message, and nothing else is taken for one.</summary>
public sealed class UnicodeTextsTests
{
    private static readonly char[] Units =
    [
        'a',
        '"',
        '\\',
        'u',
        'd',
        '\u00e9',
        '\ud7ff',
        '\ud800',
        '\ud83d',
        '\udbff',
        '\udc00',
        '\ude00',
        '\udfff',
        '\ue000',
        '\uffff',
    ];

    [Theory]
    [InlineData("""{"a":"\ud83d\ude00"}""", true)]
    [InlineData("""{"a":"\uD83D\uDE00"}""", true)]
    [InlineData("""{"\ud83d\ude00":1}""", true)]
    [InlineData("""{"a":"\ud83d"}""", false)]
    [InlineData("""{"a":"\uD83D"}""", false)]
    [InlineData("""{"a":"\ude00\ud83d"}""", false)]
    [InlineData("""{"a":"\ud83d\ud83d\ude00"}""", false)]
    [InlineData("""{"a":"\ud83dx\ude00"}""", false)]
    [InlineData("""{"a":"\ud83d\\ude00"}""", false)]
    [InlineData("""{"\udc00":1}""", false)]
    [InlineData("""{"a":[{"b":{"\udc00":1}}]}""", false)]
    [InlineData("""{"a":[[["x","\udc00"]]]}""", false)]
    // A backslash that is escaped itself begins no escape.
    [InlineData("""{"a":"\\ud83d"}""", true)]
    [InlineData("""{"a":"\\\ud83d"}""", false)]
    [InlineData("""{"a":"ud83d"}""", true)]
    public void Surrogates_are_to_be_in_pairs(string json, bool isUnicode) =>
        Assert.Equal(isUnicode, UnicodeTexts.AreIn(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("00")]
    [InlineData("7f")]
    [InlineData("c3a9")]
    [InlineData("efbfbd")]
    [InlineData("f09f9880")]
    [InlineData("80", false)]
    [InlineData("c3", false)]
    [InlineData("c080", false)]
    [InlineData("eda080", false)]
    [InlineData("f4908080", false)]
    [InlineData("ff", false)]
    public void The_bytes_are_to_be_utf8(string hex, bool isUnicode = true) =>
        Assert.Equal(isUnicode, UnicodeTexts.AreIn([.. "{\"a\":\""u8, .. Convert.FromHexString(hex), .. "\"}"u8]));

    [Fact]
    public void Whether_a_text_is_unicode_does_not_depend_on_how_it_is_escaped() =>
        Gen.Select(Gen.Int[0, Units.Length - 1].Select(unit => Units[unit]).Array[0, 8], Gen.Bool.Array[8], Gen.Bool)
            .Sample(
                (units, isUpper, isName) =>
                {
                    var escaped = string.Concat(
                        units.Select((unit, place) => isUpper[place] ? $"\\u{(int)unit:X4}" : $"\\u{(int)unit:x4}")
                    );
                    var json = isName ? $$"""{"x":{"{{escaped}}":1} }""" : $$"""{"x":["{{escaped}}"]}""";
                    Assert.Equal(IsUnicode(new(units)), UnicodeTexts.AreIn(Encoding.UTF8.GetBytes(json)));
                },
                iter: 20_000
            );

    private static bool IsUnicode(string text)
    {
        for (var place = 0; place < text.Length; place++)
        {
            if (
                char.IsLowSurrogate(text[place])
                || (char.IsHighSurrogate(text[place]) && (++place == text.Length || !char.IsLowSurrogate(text[place])))
            )
            {
                return false;
            }
        }

        return true;
    }
}
