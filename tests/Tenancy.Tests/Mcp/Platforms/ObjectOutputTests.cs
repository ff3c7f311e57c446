using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Tenancy.Tests.Mcp.Platforms;

/// <summary>How a result that is no object is described to clients that know objects only.</summary>
public sealed class ObjectOutputTests
{
    [Theory]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}}}""")]
    public void An_object_is_described_as_it_is(string schema)
    {
        var tool = ToolWith(schema);
        Assert.Same(tool, ObjectOutput.Describe(tool));
    }

    [Fact]
    public void What_is_not_described_stays_so()
    {
        var tool = new Tool { Name = "x" };
        Assert.Same(tool, ObjectOutput.Describe(tool));
    }

    [Theory]
    [InlineData("""{"type":"string"}""", """{"type":"object","properties":{"result":{"type":"string"}},"required":["result"]}""")]
    [InlineData(
        """{"anyOf":[{"type":"object"},{"type":"string"}]}""",
        """{"type":"object","properties":{"result":{"anyOf":[{"type":"object"},{"type":"string"}]}},"required":["result"]}"""
    )]
    [InlineData(
        """{"type":["object","string"]}""",
        """{"type":"object","properties":{"result":{"type":["object","string"]}},"required":["result"]}"""
    )]
    [InlineData("{}", """{"type":"object","properties":{"result":{}},"required":["result"]}""")]
    public void Everything_else_is_the_member_of_an_object(string schema, string expected) => AssertDescribed(expected, schema);

    [Theory]
    [InlineData("""{"type":["object","null"]}""", true, true)]
    [InlineData("""{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}""", false, true)]
    [InlineData("""{"type":["array","null"]}""", false, true)]
    [InlineData("""{"type":"object"}""", false, false)]
    [InlineData("""{"type":"string"}""", false, false)]
    public void A_result_that_may_be_null_has_no_schema_where_it_stands_alone(string schema, bool isForEarlier, bool isForLater)
    {
        Assert.Equal(isForEarlier, ObjectOutput.Describe(ToolWith(schema)).OutputSchema is null);
        var listed = ObjectOutput.WithoutNull(ToolWith(schema));
        Assert.Equal(("X", isForLater), (listed.Title, listed.OutputSchema is null));
    }

    [Theory]
    [InlineData("#", "#/properties/result")]
    [InlineData("#/$defs/node", "#/properties/result/$defs/node")]
    [InlineData("#/items/0", "#/properties/result/items/0")]
    // By its name a schema is found wherever it lies.
    [InlineData("#node", "#node")]
    [InlineData("https://example.com/node.json", "https://example.com/node.json")]
    [InlineData("other.json#/a", "other.json#/a")]
    public void What_points_into_the_schema_points_there_still(string before, string after) =>
        AssertDescribed(
            """{"type":"object","properties":{"result":{"type":"array","items":{"$ref":"?"}}},"required":["result"]}""".Replace("?", after),
            """{"type":"array","items":{"$ref":"?"}}""".Replace("?", before)
        );

    [Theory]
    // A schema with a URL of its own is what its references start from.
    [InlineData("""{"$id":"https://example.com/s","type":"array","items":{"$ref":"#/$defs/a"}}""")]
    // A member can have the name of a reference.
    [InlineData("""{"type":"array","items":{"properties":{"$ref":{"type":"string"}}}}""")]
    public void What_does_not_start_at_the_root_does_not_move(string schema) =>
        AssertDescribed("""{"type":"object","properties":{"result":?},"required":["result"]}""".Replace("?", schema), schema);

    [Fact]
    public void The_tool_itself_is_not_changed()
    {
        var tool = ToolWith("""{"type":"array","items":{"$ref":"#"}}""");
        ObjectOutput.Describe(tool);
        Assert.Equal("""{"type":"array","items":{"$ref":"#"}}""", tool.OutputSchema!.Value.GetRawText());
    }

    private static Tool ToolWith(string schema) =>
        new()
        {
            Name = "x",
            Title = "X",
            OutputSchema = JsonElement.Parse(schema),
        };

    private static void AssertDescribed(string expected, string schema)
    {
        var described = ObjectOutput.Describe(ToolWith(schema));
        Assert.Equal("X", described.Title);
        Assert.True(
            JsonElement.DeepEquals(JsonElement.Parse(expected), described.OutputSchema!.Value),
            $"Expected {expected}\nbut got {described.OutputSchema!.Value.GetRawText()}"
        );
    }
}
