using System.Text.Json;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

public sealed class JsonSyntaxErrorsTests
{
    [Theory]
    [InlineData("nope", "this is no JSON, at line 1, byte 2: 'nope' is an invalid JSON literal. Expected the literal 'null'.")]
    [InlineData("{ \"id\": \"acme\",\n  name }", "this is no JSON, at line 2, byte 3: 'n' is an invalid start of a property name.")]
    [InlineData("{ \"id\": \"acme\"", "this is no JSON, at line 1, byte 15: Expected depth to be zero at the end of the JSON payload.")]
    [InlineData("", "this is no JSON, at line 1, byte 1: The input does not contain any JSON tokens.")]
    public void What_is_no_JSON_is_said_to_be_none_with_the_place(string text, string expected)
    {
        var exception = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize(text, TenancyJson.Default.TenantWire));
        Assert.StartsWith(expected, JsonErrors.Explain(exception, TenancyJson.Default.TenantWire), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "id": "acme", "nam": "A" }""", "there is no such field")]
    [InlineData("""{ "id": "acme", "name": 5 }""", "the value has a wrong type")]
    [InlineData("""{ "name": "A" }""", "'id' is required")]
    public void What_is_JSON_is_not_said_to_be_none(string text, string expected)
    {
        var exception = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize(text, TenancyJson.Default.TenantWire));
        Assert.StartsWith(expected, JsonErrors.Explain(exception, TenancyJson.Default.TenantWire), StringComparison.Ordinal);
    }
}
