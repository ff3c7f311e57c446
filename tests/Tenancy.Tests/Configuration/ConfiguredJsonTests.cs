using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>The configuration has texts only; a record gets from them what it would get from JSON.</summary>
public sealed class ConfiguredJsonTests
{
    [Theory]
    [InlineData("""{"id":"a","urls":""}""", """{"id":"a","urls":[]}""")]
    [InlineData("""{"id":"a","urls":["x","y"]}""", """{"id":"a","urls":["x","y"]}""")]
    [InlineData("""{"ID":"a","URLS":""}""", """{"ID":"a","URLS":[]}""")]
    [InlineData("""{"id":"a","urls":" "}""", """{"id":"a","urls":" "}""")]
    // The configuration cannot tell the name "True" from the literal true.
    [InlineData("""{"id":"a","name":true}""", """{"id":"a","name":"True"}""")]
    [InlineData("""{"id":"a","name":"true"}""", """{"id":"a","name":"true"}""")]
    [InlineData("""{"id":"a","authentication":{"challengeAtCall":"true"}}""", """{"id":"a","authentication":{"challengeAtCall":true}}""")]
    [InlineData("""{"id":"a","authentication":{"challengeAtCall":"FALSE"}}""", """{"id":"a","authentication":{"challengeAtCall":false}}""")]
    [InlineData("""{"id":"a","authentication":{"challengeAtCall":"yes"}}""", """{"id":"a","authentication":{"challengeAtCall":"yes"}}""")]
    [InlineData("""{"id":"a","authentication":{"challengeAtCall":1}}""", """{"id":"a","authentication":{"challengeAtCall":1}}""")]
    // The names of tools can be numbers, so that they look like places in a list.
    [InlineData("""{"id":"a","limits":{"tools":[{"rateLimit":"5"}]}}""", """{"id":"a","limits":{"tools":{"0":{"rateLimit":"5"}}}}""")]
    [InlineData("""{"id":"a","limits":{"tools":{"true":{}}}}""", """{"id":"a","limits":{"tools":{"true":{}}}}""")]
    [InlineData("""{"id":"a","principals":[{"name":true,"scopes":""}]}""", """{"id":"a","principals":[{"name":"True","scopes":[]}]}""")]
    // What a platform's settings are is not known here.
    [InlineData("""{"id":"a","settings":{"on":"true","list":""}}""", """{"id":"a","settings":{"on":"true","list":""}}""")]
    [InlineData("""{"id":"a","surprise":{"on":"true"}}""", """{"id":"a","surprise":{"on":"true"}}""")]
    [InlineData("""{"id":["a"],"limits":["b"]}""", """{"id":["a"],"limits":["b"]}""")]
    [InlineData("""{"id":"a","urls":null}""", """{"id":"a","urls":null}""")]
    [InlineData("null", "null")]
    [InlineData("\"\"", "\"\"")]
    public void A_text_becomes_what_its_field_takes_and_nothing_else_changes(string read, string expected) =>
        AssertSame(expected, ConfiguredJson.Fit(JsonNode.Parse(read), ConfigurationJsonContext.Default.TenantWire));

    [Fact]
    public void What_was_read_stays_as_it_was()
    {
        var read = JsonNode.Parse("""{"id":"a","urls":"","settings":{"a":[1]},"authentication":{"challengeAtCall":"true"}}""");
        var before = read!.ToJsonString();
        var fitted = ConfiguredJson.Fit(read, ConfigurationJsonContext.Default.TenantWire)!;
        fitted["settings"]!["a"]!.AsArray().Add(2);
        Assert.Equal(before, read.ToJsonString());
    }

    private static void AssertSame(string expected, JsonNode? actual) =>
        Assert.Equal(JsonNode.Parse(expected)?.ToJsonString() ?? "null", actual?.ToJsonString() ?? "null");
}
