using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Tenancy.State;

namespace Tenancy.Tests.State;

public sealed class CanonicalJsonTests
{
    // Those that sort differently by code unit and by code point, those that are escaped, and one that begins like another.
    private static readonly string[] Parts = ["a", "b", "ab", "\"", "\\", "\n", "é", "\uffef", "\U0001f600", "\u2028"];

    /// <summary>The vectors that are published with RFC 8785.</summary>
    public static TheoryData<string, string, string> PublishedVectors =>
        new()
        {
            { "arrays", """[ 56, { "d": true, "10": null, "1": [ ] } ]""", """[56,{"1":[],"10":null,"d":true}]""" },
            {
                "french",
                """{ "peach": "This sorting order", "péché": "is wrong according to French", "pêche": "but canonicalization MUST","""
                    + """ "sin": "ignore locale" }""",
                """{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization"""
                    + """ MUST","sin":"ignore locale"}"""
            },
            {
                "structures",
                """{ "1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {"e": "yes","E": "no" }"""
                    + """ ], "A": { } }""",
                """{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"""
            },
            { "unicode", """{ "Unnormalized Unicode":"A\u030a" }""", "{\"Unnormalized Unicode\":\"A\u030a\"}" },
            {
                "values",
                """{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string":"""
                    + """ "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }""",
                """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
            },
            {
                "weird",
                """{ "\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One", "\u0080": "Control\u007f","""
                    + """ "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresis", "\ufb33": "Hebrew Letter Dalet"""
                    + """ With Dagesh", "</script>": "Browser Challenge" }""",
                "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\"</script>\":\"Browser "
                    + "Challenge\",\"\u0080\":\"Control\u007f\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro "
                    + "Sign\",\"\U0001F602\":\"Smiley\",\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}"
            },
        };

    /// <summary>RFC 8785, appendix B.</summary>
    public static TheoryData<string, string> PublishedNumbers =>
        new()
        {
            { "0000000000000000", "0" },
            { "8000000000000000", "0" },
            { "0000000000000001", "5e-324" },
            { "8000000000000001", "-5e-324" },
            { "7fefffffffffffff", "1.7976931348623157e+308" },
            { "ffefffffffffffff", "-1.7976931348623157e+308" },
            { "4340000000000000", "9007199254740992" },
            { "c340000000000000", "-9007199254740992" },
            { "4430000000000000", "295147905179352830000" },
            { "44b52d02c7e14af5", "9.999999999999997e+22" },
            { "44b52d02c7e14af6", "1e+23" },
            { "44b52d02c7e14af7", "1.0000000000000001e+23" },
            { "444b1ae4d6e2ef4e", "999999999999999700000" },
            { "444b1ae4d6e2ef4f", "999999999999999900000" },
            { "444b1ae4d6e2ef50", "1e+21" },
            { "3eb0c6f7a0b5ed8c", "9.999999999999997e-7" },
            { "3eb0c6f7a0b5ed8d", "0.000001" },
            { "41b3de4355555553", "333333333.3333332" },
            { "41b3de4355555554", "333333333.33333325" },
            { "41b3de4355555555", "333333333.3333333" },
            { "41b3de4355555556", "333333333.3333334" },
            { "41b3de4355555557", "333333333.33333343" },
            { "becbf647612f3696", "-0.0000033333333333333333" },
            { "43143ff3c1cb0959", "1424953923781206.2" },
        };

    [Theory]
    [MemberData(nameof(PublishedVectors))]
    public void Published_vectors_come_out_as_published(string name, string input, string expected)
    {
        Assert.Equal(expected, Canonical(input));
        Assert.Equal(expected, Canonical(expected));
        Assert.NotEmpty(name);
    }

    [Theory]
    [MemberData(nameof(PublishedNumbers))]
    public void Published_numbers_come_out_as_published(string bits, string expected)
    {
        var number = BitConverter.UInt64BitsToDouble(ulong.Parse(bits, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(expected, EcmaScriptNumber.Format(number));
        Assert.Equal(expected, Canonical(number.ToString("R", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Every_double_reads_back_as_itself() =>
        Gen
            .Double.Where(double.IsFinite)
            .Sample(
                number => double.Parse(EcmaScriptNumber.Format(number), CultureInfo.InvariantCulture).Equals(number == 0 ? 0d : number),
                iter: 100_000
            );

    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("""["\ude02\ud83d"]""")]
    [InlineData("1e400")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":1,"\u0061":1}""")]
    public void What_has_no_canonical_form_is_refused(string json) => Assert.Throws<FormatException>(() => Canonical(json));

    [Fact]
    public void The_order_of_members_and_white_space_do_not_matter() =>
        Gen
            .String.Array[0, 8]
            .Sample(names =>
            {
                var members = names.Where(IsWellFormed).Distinct().ToArray();
                var one = new JsonObject(members.Select(name => KeyValuePair.Create<string, JsonNode?>(name, name.Length)));
                var other = new JsonObject(members.Reverse().Select(name => KeyValuePair.Create<string, JsonNode?>(name, name.Length)));
                return Canonical(one.ToJsonString()) == Canonical(other.ToJsonString(new() { WriteIndented = true }));
            });

    [Fact]
    public void Texts_read_back_as_themselves() =>
        Gen
            .String.Where(IsWellFormed)
            .Sample(text => JsonSerializer.Deserialize<string>(Canonical(JsonSerializer.Serialize(text))) == text);

    [Fact]
    public void The_order_of_members_matters_at_no_depth() =>
        Gen
            .Int.Array[3]
            .Sample(seeds =>
            {
                var one = Shuffled(new(seeds[0]), new(seeds[1]), depth: 4);
                var other = Shuffled(new(seeds[0]), new(seeds[2]), depth: 4);
                var canonical = Canonical(one?.ToJsonString() ?? "null");
                return canonical == Canonical(other?.ToJsonString() ?? "null")
                    && canonical == Canonical(canonical)
                    && JsonNode.DeepEquals(JsonNode.Parse(canonical), one);
            });

    [Theory]
    [InlineData("""{"b":1,"z":[2],"a":{}}""", """{"a":{}}""")]
    [InlineData("""{"z":{"z":1},"a":{"b":{"d":2,"c":3},"z":{}}}""", """{"a":{"b":{"c":3,"d":2},"z":{}}}""")]
    [InlineData("""{"keep":{"b":1,"a":2},"b":{"x":1}}""", """{"keep":{"a":2}}""")]
    public void What_is_left_out_leaves_no_trace(string json, string canonical)
    {
        OmittedMember[] omissions = [new("b"), new("z"), new("keep", new OmittedMember("b"))];

        Assert.Equal(canonical, Encoding.UTF8.GetString(CanonicalJson.Serialize(Encoding.UTF8.GetBytes(json), omissions)));
    }

    [Fact]
    public void A_member_that_is_left_out_may_not_stand_twice_either() =>
        Assert.Throws<FormatException>(() => CanonicalJson.Serialize("""{"b":1,"a":2,"b":3}"""u8, new OmittedMember("b")).ToArray());

    [Theory]
    [InlineData("{\"a\":\"\u00ff\"}")]
    [InlineData("{\"\u00ff\":1}")]
    public void Bytes_that_are_no_text_are_refused(string json) =>
        Assert.Throws<FormatException>(() => CanonicalJson.Serialize(Encoding.Latin1.GetBytes(json)).ToArray());

    [Theory]
    [InlineData("")]
    [InlineData("{\"a\":1")]
    [InlineData("{} {}")]
    public void What_is_no_JSON_text_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => Canonical(json));

    private static bool IsWellFormed(string text) =>
        text.EnumerateRunes().Aggregate(0, (length, rune) => length + rune.Utf16SequenceLength) == text.Length
        && !text.Contains('\uFFFD', StringComparison.Ordinal);

    private static string Canonical(string json) => Encoding.UTF8.GetString(CanonicalJson.Serialize(Encoding.UTF8.GetBytes(json)));

    // An object of texts, numbers, arrays and further objects, whose members are written in an order of their own.
    private static JsonNode? Shuffled(Random values, Random order, int depth)
    {
        switch (values.Next(depth == 0 ? 3 : 5))
        {
            case 0:
                return JsonValue.Create(Math.Round(values.NextDouble() * 1e6, values.Next(4)));
            case 1:
                return JsonValue.Create(Name(values));
            case 2:
                return null;
            case 3:
                return new JsonArray([.. Enumerable.Range(0, values.Next(4)).Select(_ => Shuffled(values, order, depth - 1))]);
            default:
                var members = new Dictionary<string, JsonNode?>();
                foreach (var _ in Enumerable.Range(0, values.Next(7)))
                {
                    var name = Name(values);
                    members[name] = Shuffled(values, order, depth - 1);
                }

                var shuffled = members.ToArray();
                order.Shuffle(shuffled);
                return new JsonObject(shuffled);
        }
    }

    private static string Name(Random values) =>
        string.Concat(Enumerable.Range(0, values.Next(4)).Select(_ => Parts[values.Next(Parts.Length)]));
}
