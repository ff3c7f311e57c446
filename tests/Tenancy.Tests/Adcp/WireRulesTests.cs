using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What breaks a rule of a wire record, where it is said to stand, and how the rule reads in a schema.</summary>
public sealed class WireRulesTests
{
    private static readonly WireRules Rules = new(
        new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }
    );

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"name": null}""", "/name name is required.")]
    [InlineData("""{"note": null}""", null)]
    [InlineData("""{"count": 0}""", "/count count must be from 1 to 9.")]
    [InlineData("""{"count": 1}""", null)]
    [InlineData("""{"count": 9}""", null)]
    [InlineData("""{"count": 10}""", "/count count must be from 1 to 9.")]
    [InlineData("""{"price": -0.01}""", "/price price must be 0 at least.")]
    [InlineData("""{"price": 0}""", null)]
    [InlineData("""{"price": 79228162514264337593543950335}""", null)]
    [InlineData("""{"share": 1.5}""", "/share share must be from 0 to 1.")]
    [InlineData("""{"code": "ab"}""", null)]
    [InlineData("""{"code": ""}""", null)]
    [InlineData("""{"code": "AB"}""", "/code code has a wrong form.")]
    [InlineData("""{"code": "ab\n"}""", "/code code has a wrong form.")]
    [InlineData("""{"code": "cd tail"}""", "/code code has a wrong form.")]
    [InlineData("""{"kind": "x"}""", null)]
    [InlineData("""{"kind": "X"}""", "/kind kind must be one of x, y.")]
    [InlineData("""{"kind": ""}""", "/kind kind must be one of x, y.")]
    [InlineData("""{"tags": []}""", "/tags tags must have 1 at least.")]
    [InlineData("""{"tags": ["a", "b"]}""", null)]
    [InlineData("""{"tags": ["a", "b", "c"]}""", "/tags tags must have 2 at most.")]
    [InlineData("""{"inner": {"name": "n", "count": 0}}""", "/inner/count count must be from 1 to 9.")]
    [InlineData("""{"inner": {"inner": {"name": null}}}""", "/inner/inner/name name is required.")]
    [InlineData("""{"parts": []}""", null)]
    [InlineData("""{"parts": [{}, null]}""", "/parts/1 It is null.")]
    [InlineData("""{"parts": [{}, {}, {"code": "X"}]}""", "/parts/2/code code has a wrong form.")]
    [InlineData("""{"parts": [{"parts": [{"kind": "z"}]}]}""", "/parts/0/parts/0/kind kind must be one of x, y.")]
    [InlineData("""{"rest": {"count": 0}}""", null)]
    [InlineData("""{"unknown": {"count": 0}}""", null)]
    [InlineData("""{"count": 0, "name": null}""", "/name name is required.")]
    public void The_first_mistake_is_found_where_it_stands(string json, string? expected)
    {
        var value = JsonSerializer.Deserialize<Sample>(json, JsonSerializerOptions.Web)!;
        var mistake = Rules.FindMistake(value, typeof(Sample));
        Assert.Equal(expected, mistake is var (pointer, message) ? $"{pointer} {message}" : null);
    }

    [Fact]
    public void Values_are_looked_through_in_a_dictionary_of_any_kind()
    {
        var one = new Sample { Count = 0 };
        var pairs = new OwnPairs(new() { ["a/b"] = one });
        Assert.Equal(
            ("/pairs/a~1b/count", "count must be from 1 to 9."),
            Rules.FindMistake(new Dictionaries { Pairs = pairs }, typeof(Dictionaries))
        );
        Assert.Equal(
            ("/frozen/x/count", "count must be from 1 to 9."),
            Rules.FindMistake(
                new Dictionaries { Frozen = System.Collections.Immutable.ImmutableDictionary<string, Sample>.Empty.Add("x", one) },
                typeof(Dictionaries)
            )
        );
        Assert.Null(Rules.FindMistake(new Dictionaries { Pairs = new OwnPairs(new() { ["a"] = new() }) }, typeof(Dictionaries)));
    }

    [Fact]
    public void Items_of_a_sequence_that_is_no_list_and_of_several_types_are_looked_through()
    {
        var value = new Sequence
        {
            Items = new[]
            {
                new Sample(),
                new Heir { Extra = 3 },
                new Sample(),
                new Heir { Extra = 7 },
            }.Select(x => x),
        };
        Assert.Equal(("/items/3/extra", "extra must be from 1 to 5."), Rules.FindMistake(value, typeof(Sequence)));
        Assert.Null(Rules.FindMistake(new Sequence { Items = [] }, typeof(Sequence)));
    }

    [Theory]
    [InlineData("""{"budget": 0}""", "/budget budget must be more than 0.")]
    [InlineData("""{"budget": 0.01}""", null)]
    [InlineData("""{"half": 0.5}""", "/half half must be at least 0, and less than 0.5.")]
    [InlineData("""{"half": 0}""", null)]
    [InlineData("""{"even": "abc"}""", "/even even has a wrong form.")]
    [InlineData("""{"even": "ab"}""", null)]
    [InlineData("""{"long": "ab"}""", "/long long has a wrong form.")]
    public void A_rule_means_what_its_attribute_says(string json, string? expected)
    {
        var value = JsonSerializer.Deserialize<Odd>(json, JsonSerializerOptions.Web)!;
        var mistake = Rules.FindMistake(value, typeof(Odd));
        Assert.Equal(expected, mistake is var (pointer, message) ? $"{pointer} {message}" : null);
    }

    [Fact]
    public void A_record_is_looked_through_as_the_type_that_is_named()
    {
        var value = new Heir { Extra = 7 };
        Assert.Null(Rules.FindMistake(value, typeof(Sample)));
        Assert.Equal(("/extra", "extra must be from 1 to 5."), Rules.FindMistake(value, typeof(Heir)));
    }

    public static TheoryData<object[], string> Schemas =>
        new()
        {
            { [], "{}" },
            { [new RangeAttribute(1, 9)], """{"minimum":1,"maximum":9}""" },
            { [new RangeAttribute(0, int.MaxValue)], """{"minimum":0}""" },
            { [new RangeAttribute(0, 9) { MinimumIsExclusive = true }], """{"exclusiveMinimum":0,"maximum":9}""" },
            { [new RangeAttribute(0, 9) { MaximumIsExclusive = true }], """{"minimum":0,"exclusiveMaximum":9}""" },
            { [new RangeAttribute(0.5, double.MaxValue)], """{"minimum":0.5}""" },
            { [new RangeAttribute(0.25, 0.75)], """{"minimum":0.25,"maximum":0.75}""" },
            { [new MinLengthAttribute(1), new MaxLengthAttribute(2)], """{"minItems":1,"maxItems":2}""" },
            { [new RegularExpressionAttribute("^a$")], """{"pattern":"^a$"}""" },
            { [new AllowedValuesAttribute("x", "y")], """{"enum":["x","y"]}""" },
            { [new AllowedValuesAttribute("x", null)], """{"enum":["x",null]}""" },
            { [new ObsoleteAttribute(), "a text"], "{}" },
        };

    [Theory]
    [MemberData(nameof(Schemas), DisableDiscoveryEnumeration = true)]
    public void A_rule_stands_in_the_schema(object[] attributes, string expected)
    {
        var schema = new JsonObject();
        foreach (var attribute in attributes.OfType<ValidationAttribute>())
        {
            WireRule.Read(attribute, JsonSerializerOptions.Web, []).WriteTo(schema, "Sample.name");
        }

        Assert.Equal(expected, schema.ToJsonString());
    }

    private class Sample
    {
        public string Name { get; init; } = "name";

        public string? Note { get; init; }

        [Range(1, 9)]
        public int? Count { get; init; }

        [Range(0, double.MaxValue)]
        public decimal? Price { get; init; }

        [Range(0.0, 1.0)]
        public double? Share { get; init; }

        [RegularExpression("^[a-z]+$|cd")]
        public string? Code { get; init; }

        [AllowedValues("x", "y", null)]
        public string? Kind { get; init; }

        [MinLength(1)]
        [MaxLength(2)]
        public IReadOnlyList<string>? Tags { get; init; }

        public Sample? Inner { get; init; }

        public IReadOnlyList<Sample>? Parts { get; init; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Rest { get; init; }
    }

    private sealed class Odd
    {
        [Range(0, double.MaxValue, MinimumIsExclusive = true)]
        public decimal? Budget { get; init; }

        [Range(0.0, 0.5, MaximumIsExclusive = true)]
        public decimal? Half { get; init; }

        [EvenPattern]
        public string? Even { get; init; }

        // The first match counts, as the attribute has it: it is "a", and not all of the text.
        [RegularExpression("a|ab")]
        public string? Long { get; init; }
    }

    private sealed class EvenPatternAttribute() : RegularExpressionAttribute("^[a-z]+$")
    {
        public override bool IsValid(object? value) => base.IsValid(value) && value is null or string { Length: 0 or 2 or 4 };
    }

    private sealed class Heir : Sample
    {
        [Range(1, 5)]
        public int Extra { get; init; } = 1;
    }

    private sealed class Dictionaries
    {
        public IReadOnlyDictionary<string, Sample>? Pairs { get; init; }

        public IReadOnlyDictionary<string, Sample>? Frozen { get; init; }
    }

    /// <summary>A dictionary that can only be read, and is no IDictionary.</summary>
    private sealed class OwnPairs(Dictionary<string, Sample> pairs) : IReadOnlyDictionary<string, Sample>
    {
        public IEnumerable<string> Keys => pairs.Keys;

        public IEnumerable<Sample> Values => pairs.Values;

        public int Count => pairs.Count;

        public Sample this[string key] => pairs[key];

        public bool ContainsKey(string key) => pairs.ContainsKey(key);

        public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out Sample value) =>
            pairs.TryGetValue(key, out value);

        public IEnumerator<KeyValuePair<string, Sample>> GetEnumerator() => pairs.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Sequence
    {
        public IEnumerable<Sample> Items { get; init; } = [];
    }
}
