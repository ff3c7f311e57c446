using System.Text;
using System.Text.Json;

namespace Tenancy.Tests.Mcp.Platforms;

/// <summary>A call's arguments are held to what is listed, also where they are written to get past it.</summary>
public sealed class ArgumentSchemaTests
{
    [Theory]
    [InlineData("""{"type":"integer"}""", "1", null)]
    [InlineData("""{"type":"integer"}""", "1.0", null)]
    [InlineData("""{"type":"integer"}""", "1e2", null)]
    [InlineData("""{"type":"integer"}""", "\"12\"", null)]
    [InlineData("""{"type":"integer"}""", "1.5", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "1e-400", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\"1.5\"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\" 12 \"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\"12 \"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\"[12]\"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\"null\"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "\"\"", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "true", "a must be a whole number.")]
    [InlineData("""{"type":"integer"}""", "null", "a must be a whole number, and not null.")]
    [InlineData("""{"type":["integer","null"]}""", "null", null)]
    [InlineData("""{"type":"boolean"}""", "\"true\"", "a must be true or false.")]
    [InlineData("""{"type":"string"}""", "5", "a must be a text.")]
    [InlineData("""{"type":["string","integer"]}""", "[]", "a must be a text or a whole number.")]
    [InlineData("""{"type":"object"}""", "[]", "a must be an object.")]
    [InlineData("""{"type":"number"}""", "1e308", null)]
    [InlineData("""{"type":"number"}""", "1e400", "a is out of range.")]
    [InlineData("""{"type":"number"}""", "-1E+400", "a is out of range.")]
    [InlineData("""{"type":"number"}""", "\"1e400\"", "a is out of range.")]
    [InlineData("{}", "[1,{}]", null)]
    [InlineData("true", "5", null)]
    public void The_type_of_a_value_counts(string schema, string value, string? mistake) => Assert.Equal(mistake, Find(schema, value));

    [Theory]
    [InlineData("""{"type":"integer","minimum":1}""", "0", "a must be 1 at least.")]
    [InlineData("""{"type":"integer","minimum":1}""", "\"0\"", "a must be 1 at least.")]
    [InlineData("""{"type":"integer","maximum":9}""", "1e400", "a must be 9 at most.")]
    [InlineData("""{"type":"integer","minimum":-9}""", "-1e400", "a must be -9 at least.")]
    [InlineData("""{"type":"number","maximum":0.3}""", "0.30000000000000001", "a must be 0.3 at most.")]
    [InlineData("""{"type":"number","exclusiveMaximum":1}""", "1", "a must be less than 1.")]
    [InlineData("""{"type":"number","exclusiveMinimum":1}""", "1.0", "a must be more than 1.")]
    [InlineData("""{"type":"string","minLength":2}""", "\"😂\"", "a must have 2 characters at least.")]
    [InlineData("""{"type":"string","maxLength":1}""", "\"😂\"", null)]
    [InlineData("""{"type":"string","maxLength":1.0}""", "\"ab\"", "a must have 1.0 characters at most.")]
    [InlineData("""{"type":"array","maxItems":1}""", "[1,2]", "a must have 1 at most.")]
    [InlineData("""{"type":"object","minProperties":1}""", "{}", "a must have 1 at least.")]
    [InlineData("""{"enum":["x",1]}""", "1.0", null)]
    [InlineData("""{"enum":["x",1]}""", "\"1\"", "a must be one of x, 1.")]
    [InlineData("""{"enum":["x"]}""", "\"X\"", "a must be one of x.")]
    [InlineData("""{"not":{"enum":["x"]}}""", "\"x\"", "a must be none of x.")]
    [InlineData("""{"const":{"b":1,"c":2}}""", """{"c":2,"b":1}""", null)]
    [InlineData("""{"const":1}""", "2", "a must be 1.")]
    [InlineData("""{"type":"string","format":"email"}""", "\"a@b\\r\\nBcc: c@d\"", "a must be an e-mail address.")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"https://a.example/b\"", null)]
    [InlineData("""{"type":"string","format":"uri"}""", "\"urn:a:b\"", null)]
    [InlineData("""{"type":"string","format":"uri"}""", "\"a/b\"", "a must be an absolute URL.")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"/etc/passwd\"", "a must be an absolute URL.")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"//host/share\"", "a must be an absolute URL.")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"\"", "a must be an absolute URL.")]
    [InlineData("""{"type":"string","contentEncoding":"base64"}""", "\"YQ==\"", null)]
    [InlineData("""{"type":"string","contentEncoding":"base64"}""", "\"YQ\"", "a must be base64.")]
    [InlineData("""{"type":"string","contentEncoding":"base64"}""", "\"-_==\"", "a must be base64.")]
    public void A_bound_counts(string schema, string value, string? mistake) => Assert.Equal(mistake, Find(schema, value));

    [Theory]
    [InlineData("^[a-z]+$", "abc", true)]
    [InlineData("^[a-z]+$", "abc\n", false)]
    [InlineData("^[a-z]+$", "abc\nDROP", false)]
    [InlineData("^[a-z]+$", "1\nabc", false)]
    [InlineData("^[a-z]+$|^x\\$$", "x$", true)]
    [InlineData("^[a-z]+$|^x\\$$", "x$\n", false)]
    [InlineData("^[$]$", "$", true)]
    [InlineData("^[$]$", "$\n", false)]
    [InlineData("^[\\]$]+$", "]$", true)]
    [InlineData("b", "abc", true)]
    [InlineData("b\n", "ab\n", true)]
    public void A_pattern_ends_where_the_text_ends(string pattern, string value, bool matches)
    {
        var schema = JsonSerializer.Serialize(new Dictionary<string, string> { ["type"] = "string", ["pattern"] = pattern });
        Assert.Equal(matches, Find(schema, JsonSerializer.Serialize(value)) is null);
    }

    [Fact]
    public void A_pattern_that_takes_too_long_is_not_matched() =>
        Assert.Equal(
            "a must match ^(a+)+$.",
            Find("""{"type":"string","pattern":"^(a+)+$"}""", JsonSerializer.Serialize(new string('a', 40) + "!"))
        );

    [Theory]
    [InlineData("{}", "a.b is required.")]
    [InlineData("""{"b":null}""", "a.b must be a text, and not null.")]
    [InlineData("""{"B":"x"}""", "a.B is not known.")]
    [InlineData("""{"b":"x","c":1}""", "a.c is not known.")]
    [InlineData("""{"b":"x","list":[{"b":"x"},{}]}""", "a.list[1].b is required.")]
    [InlineData("""{"b":"x","named":{"n":{"b":5}}}""", "a.named.n.b must be a text.")]
    [InlineData("""{"b":"x","either":true}""", "a.either has a wrong form.")]
    [InlineData("""{"b":"x","either":{"b":"y"}}""", null)]
    [InlineData("""{"b":"x","either":7}""", null)]
    [InlineData("""{"b":"x","maybe":null}""", null)]
    public void A_mistake_is_found_at_any_depth(string value, string? mistake) =>
        Assert.Equal(
            mistake,
            Words(
                Read(
                        """
                        {
                          "properties": { "a": { "$ref": "#/$defs/n~1o~0de" } },
                          "$defs": {
                            "n/o~de": {
                              "type": "object",
                              "properties": {
                                "b": { "type": "string" },
                                "list": { "type": "array", "items": { "$ref": "#/properties/a" } },
                                "named": { "type": "object", "additionalProperties": { "$ref": "#/properties/a" } },
                                "either": { "anyOf": [{ "$ref": "#/properties/a" }, { "type": "integer" }] },
                                "maybe": { "type": ["string", "null"] }
                              },
                              "required": ["b", "maybe"],
                              "additionalProperties": false
                            }
                          }
                        }
                        """
                    )
                    .Of("a")!
                    .Find(JsonElement.Parse(value))
            )
        );

    [Fact]
    public void What_is_left_out_is_named_unless_it_may_be_null()
    {
        var schema = Read("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["string","null"]}},"required":["a","b"]}""");
        Assert.Equal(new(".a", "is required"), schema.Find(JsonElement.Parse("{}")));
        Assert.Equal(new(".a", "is required"), schema.Find(JsonElement.Parse("""{"b":"x"}""")));
        Assert.Null(schema.Find(JsonElement.Parse("""{"a":"x"}""")));
        Assert.Equal([false, true], new[] { schema.Of("a")!.MayBeNull, schema.Of("b")!.MayBeNull });
        Assert.Null(schema.Of("c"));
    }

    [Theory]
    [InlineData("""{"a":"x"}""", false)]
    [InlineData("""{"a":"x","a":"y"}""", true)]
    [InlineData("""{"a":"x","\u0061":"y"}""", true)]
    [InlineData("""{"a":"x","other":1}""", true)]
    public void A_name_that_may_stand_twice_is_told(string value, bool mayRepeat)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(value));
        reader.Read();
        var told = false;
        Assert.Null(Read("""{"type":"object","properties":{"a":{"type":"string"}}}""").Find(ref reader, ref told));
        Assert.Equal(mayRepeat, told);
    }

    [Theory]
    [InlineData("""{"$ref":"#/$defs/none"}""")]
    [InlineData("""{"$ref":"#/properties/a"}""")]
    public void A_reference_that_leads_nowhere_allows_everything_and_ends(string schema) => Assert.Null(Find(schema, "5"));

    [Theory]
    [InlineData("""{"kind":"leaf","size":1}""", null)]
    [InlineData("""{"size":1,"kind":"leaf"}""", null)]
    [InlineData("""{"child":{"size":1,"kind":"leaf"},"kind":"branch"}""", null)]
    [InlineData("""{"child":{"kind":"leaf","size":"x"},"kind":"branch"}""", "a.child.size must be a whole number.")]
    [InlineData("""{"kind":"leaf","child":{}}""", "a.child is not known.")]
    [InlineData("""{"kind":"root"}""", "a.kind has a wrong form.")]
    [InlineData("""{"kind":"leaf","kind":"branch","size":1}""", "a.kind must be leaf.")]
    [InlineData("{}", "a.kind is required.")]
    [InlineData("5", "a must be an object.")]
    public void An_object_that_may_be_of_several_types_is_compared_with_the_one_that_it_names(string value, string? mistake) =>
        Assert.Equal(mistake, Words(Read(Tree).Of("a")!.Find(JsonElement.Parse(value))));

    [Theory]
    [InlineData(true, "size", null)]
    [InlineData(true, "other", "is not known.")]
    [InlineData(false, "size", null)]
    [InlineData(false, "other", "is not known.")]
    public void The_deepest_nesting_of_such_objects_ends_at_once(bool isNameFirst, string member, string? mistake)
    {
        var value = $$"""{"{{member}}":1,"kind":"leaf"}""";
        for (var depth = 0; depth < 62; depth++)
        {
            value = isNameFirst ? $$"""{"kind":"branch","child":{{value}}}""" : $$"""{"child":{{value}},"kind":"branch"}""";
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        var found = Words(Read(Tree).Of("a")!.Find(JsonElement.Parse(value)));
        Assert.True(mistake is null ? found is null : found!.EndsWith(mistake, StringComparison.Ordinal), found);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void An_object_is_refused_where_no_alternative_takes_one()
    {
        var schema = Read("""{ "properties": { "a": { "anyOf": [{ "type": "array" }, { "type": "null" }] } } }""");
        Assert.NotNull(schema.Find(JsonElement.Parse("""{ "a": { "b": 1 } }""")));
        Assert.Null(schema.Find(JsonElement.Parse("""{ "a": [1] }""")));
    }

    [Fact]
    public void Types_that_nothing_tells_apart_are_tried_within_bounds()
    {
        const string Schema = """
            {
              "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/one" }, { "$ref": "#/$defs/other" }] } },
              "$defs": {
                "one": { "type": "object", "properties": { "child": { "$ref": "#/properties/a" }, "x": { "type": "string" } } },
                "other": { "type": "object", "properties": { "child": { "$ref": "#/properties/a" }, "x": { "type": "boolean" } } }
              }
            }
            """;
        Assert.Null(Words(Read(Schema).Of("a")!.Find(JsonElement.Parse("""{"child":{"x":true},"x":"y"}"""))));
        var value = """{"x":5}""";
        for (var depth = 0; depth < 62; depth++)
        {
            value = $$"""{"child":{{value}}}""";
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.NotNull(Read(Schema).Of("a")!.Find(JsonElement.Parse(value)));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    private const string Tree = """
        {
          "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/leaf" }, { "$ref": "#/$defs/twig" }, { "$ref": "#/$defs/branch" }] } },
          "$defs": {
            "leaf": {
              "type": "object",
              "properties": { "kind": { "const": "leaf" }, "size": { "type": "integer" } },
              "required": ["kind"],
              "additionalProperties": false
            },
            "twig": {
              "type": "object",
              "properties": { "child": { "$ref": "#/properties/a" }, "kind": { "const": "twig" } }
            },
            "branch": {
              "type": "object",
              "properties": { "child": { "$ref": "#/properties/a" }, "kind": { "const": "branch" } },
              "required": ["kind"],
              "additionalProperties": false
            }
          }
        }
        """;

    private static ArgumentSchema Read(string schema) => ArgumentSchema.Read(JsonElement.Parse(schema));

    private static string? Words(SchemaMistake? mistake) => mistake is null ? null : $"a{mistake.Place} {mistake.Text}.";

    private static string? Find(string schema, string value) =>
        Words(Read("{\"properties\":{\"a\":" + schema + "}}").Of("a")!.Find(JsonElement.Parse(value)));
}
