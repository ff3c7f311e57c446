using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;

namespace Tenancy.Tests.Mcp.Platforms;

/// <summary>Schemas in forms that some client refuses become forms that all take, and mean the same.</summary>
public sealed class ToolSchemaTests
{
    [Theory]
    // A short form within an object, a list of schemas, and schemas by name.
    [InlineData("""{"type":"object","properties":{"a":true}}""", """{"type":"object","properties":{"a":{}}}""")]
    [InlineData("""{"type":"object","properties":{"a":false}}""", """{"type":"object","properties":{"a":{"not":{}}}}""")]
    [InlineData("""{"type":"object","$defs":{"a":true}}""", """{"type":"object","$defs":{"a":{}}}""")]
    [InlineData(
        """{"type":"object","properties":{"a":{"anyOf":[true,false]}}}""",
        """{"type":"object","properties":{"a":{"anyOf":[{},{"not":{}}]}}}"""
    )]
    [InlineData("""{"type":"object","properties":{"a":{"not":true}}}""", """{"type":"object","properties":{"a":{"not":{}}}}""")]
    [InlineData("""{"type":"object","additionalProperties":true}""", """{"type":"object"}""")]
    [InlineData("""{"type":"object","additionalProperties":false}""", """{"type":"object","additionalProperties":false}""")]
    [InlineData("""{"type":"object","patternProperties":{"^x":true}}""", """{"type":"object","patternProperties":{"^x":{}}}""")]
    // Lists have items.
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"array"}}}""",
        """{"type":"object","properties":{"a":{"type":"array","items":{}}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"array","items":true}}}""",
        """{"type":"object","properties":{"a":{"type":"array","items":{}}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":["array","string"]}}}""",
        """{"type":"object","properties":{"a":{"type":["array","string"],"items":{}}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"array","prefixItems":[true]}}}""",
        """{"type":"object","properties":{"a":{"type":"array","prefixItems":[{}]}}}"""
    )]
    // What each of several types describes is required there.
    [InlineData(
        """{"type":"object","required":["t"],"anyOf":[{"properties":{"t":{"const":"a"},"b":{}},"required":["b"]}]}""",
        """{"type":"object","anyOf":[{"properties":{"t":{"const":"a"},"b":{}},"required":["t","b"]}]}"""
    )]
    [InlineData(
        """{"type":"object","required":["t"],"anyOf":[{"properties":{"t":{"const":"a"}}},{"properties":{}}]}""",
        """{"type":"object","required":["t"],"anyOf":[{"properties":{"t":{"const":"a"}}},{"properties":{}}]}"""
    )]
    // Enumerations say each value once, and their type.
    [InlineData(
        """{"type":"object","properties":{"a":{"enum":["x","y","x"]}}}""",
        """{"type":"object","properties":{"a":{"enum":["x","y"],"type":"string"}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"enum":[1,1.0,"1"]}}}""",
        """{"type":"object","properties":{"a":{"enum":[1,"1"]}}}"""
    )]
    // What is data is no schema, whatever it looks like.
    [InlineData(
        """{"type":"object","properties":{"a":{"const":{"items":true}}}}""",
        """{"type":"object","properties":{"a":{"const":{"items":true}}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"default":{"type":"array","additionalProperties":true}}}}""",
        """{"type":"object","properties":{"a":{"default":{"type":"array","additionalProperties":true}}}}"""
    )]
    [InlineData(
        """{"type":"object","properties":{"items":true,"required":{"type":"array"},"enum":{"type":"string"}}}""",
        """{"type":"object","properties":{"items":{},"required":{"type":"array","items":{}},"enum":{"type":"string"}}}"""
    )]
    public void A_schema_gets_a_form_that_every_client_takes(string schema, string expected) =>
        AssertSame(expected, Mend(schema, mayLeaveOut: false));

    [Theory]
    // May be null, and may be left out: null is not said, too.
    [InlineData(
        """{"properties":{"a":{"type":["string","null"]}},"required":["a"]}""",
        true,
        """{"properties":{"a":{"type":"string"}},"required":[]}"""
    )]
    [InlineData(
        """{"properties":{"a":{"type":["string","null"]}},"required":["a"]}""",
        false,
        """{"properties":{"a":{"type":["string","null"]}},"required":["a"]}"""
    )]
    [InlineData("""{"properties":{"a":{"type":["string","null"],"default":null}}}""", false, """{"properties":{"a":{"type":"string"}}}""")]
    [InlineData(
        """{"properties":{"a":{"type":["string","integer","null"]}}}""",
        false,
        """{"properties":{"a":{"type":["string","integer"]}}}"""
    )]
    [InlineData(
        """{"properties":{"a":{"anyOf":[{"$ref":"#/x"},{"type":"null"}]}},"required":["a"]}""",
        true,
        """{"properties":{"a":{"anyOf":[{"$ref":"#/x"}]}},"required":[]}"""
    )]
    [InlineData("""{"properties":{"a":{"enum":["x",null]}}}""", false, """{"properties":{"a":{"enum":["x"],"type":"string"}}}""")]
    [InlineData(
        """{"properties":{"a":{"type":"string","default":""}}}""",
        false,
        """{"properties":{"a":{"type":"string","default":""}}}"""
    )]
    // Nothing but null stays, because a schema without a type, a value or a form is none.
    [InlineData("""{"properties":{"a":{"type":["null"]}}}""", true, """{"properties":{"a":{"type":"null"}}}""")]
    [InlineData(
        """{"properties":{"a":{"type":"null"}},"required":["a"]}""",
        true,
        """{"properties":{"a":{"type":"null"}},"required":["a"]}"""
    )]
    [InlineData("""{"properties":{"a":{"anyOf":[{"type":"null"}]}}}""", true, """{"properties":{"a":{"anyOf":[{"type":"null"}]}}}""")]
    [InlineData("""{"properties":{"a":{"type":"null","enum":[null]}}}""", true, """{"properties":{"a":{"type":"null","enum":[null]}}}""")]
    public void What_may_be_left_out_need_not_be_null(string schema, bool mayLeaveOut, string expected) =>
        AssertSame(expected, Mend(schema, mayLeaveOut));

    [Fact]
    public void A_result_leaves_out_what_is_null_or_may_be_anything()
    {
        var tool = new Tool
        {
            Name = "x",
            InputSchema = JsonElement.Parse("""{"type":"object"}"""),
            OutputSchema = JsonElement.Parse(
                """{"type":"object","properties":{"a":{"type":["string","null"]},"b":true,"c":{"type":"null"}},"required":["a","c","b"]}"""
            ),
        };
        ToolSchema.Mend(tool, mayLeaveOut: false);
        AssertSame(
            """{"type":"object","properties":{"a":{"type":"string"},"b":{},"c":{"type":"null"}},"required":["c"]}""",
            tool.OutputSchema!.Value
        );
    }

    [Theory]
    [InlineData("""{"properties":{"a":{"$comment":"Unsupported .NET type"}}}""", "argument 'a'")]
    [InlineData("""{"properties":{"a":{"properties":{"b":{"$comment":"Unsupported .NET type"}}}}}""", "argument 'a.b'")]
    [InlineData("""{"properties":{"a":{"items":{"$comment":"Unsupported .NET type"}}}}""", "argument 'a'")]
    [InlineData("""{"$comment":"Unsupported .NET type"}""", "argument has")]
    public void A_type_that_cannot_be_described_is_named(string schema, string place)
    {
        var refused = Assert.ThrowsAny<InvalidOperationException>(() => Mend(schema, mayLeaveOut: false));
        Assert.StartsWith($"The tool 'x' cannot be described: the {place}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_that_was_mended_is_not_mended_again()
    {
        var once = Mend(
            """{"type":"object","properties":{"a":{"type":["array","null"]},"b":true,"c":{"enum":["x","x",null]}},"required":["a"]}""",
            mayLeaveOut: true
        );
        AssertSame(once.GetRawText(), Mend(once.GetRawText(), mayLeaveOut: true));
    }

    private static JsonElement Mend(string schema, bool mayLeaveOut)
    {
        var tool = new Tool { Name = "x" };
        // A tool of the SDK's own takes objects only; what is within is what counts.
        tool.InputSchema = JsonElement.Parse(WithType(schema));
        ToolSchema.Mend(tool, mayLeaveOut);
        return tool.InputSchema;
    }

    private static string WithType(string schema)
    {
        var node = JsonNode.Parse(schema)!.AsObject();
        node.TryAdd("type", "object");
        return node.ToJsonString();
    }

    private static void AssertSame(string expected, JsonElement actual) =>
        Assert.True(
            JsonElement.DeepEquals(JsonElement.Parse(WithType(expected)), actual),
            $"Expected {expected}\nbut got {actual.GetRawText()}"
        );
}
