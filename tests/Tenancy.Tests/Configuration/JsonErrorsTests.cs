using System.Text.Json;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>
/// What a person is told of a JSON text that is no tenant: the field and the fix, and neither .NET's types nor what the text has in it.
/// </summary>
public sealed class JsonErrorsTests
{
    [Theory]
    [InlineData("""{"id":"a","nmae":"x"}""", "nmae", "there is no such field; check its spelling: perhaps 'name'")]
    [InlineData("""{"id":"a","zzzzzz":1}""", "zzzzzz", "there is no such field; check its spelling")]
    [InlineData(
        """{"id":"a","limits":{"maxSesions":1}}""",
        "limits.maxSesions",
        "there is no such field; check its spelling: perhaps 'maxSessions'"
    )]
    [InlineData(
        """{"id":"a","principals":[{"name":"x"},{"nam":"x"}]}""",
        "principals[1].nam",
        "there is no such field; check its spelling: perhaps 'name'"
    )]
    [InlineData(
        """{"id":"a","limits":{"tools":{"get products":{"rate":1}}}}""",
        "limits.tools['get products'].rate",
        "there is no such field; check its spelling"
    )]
    [InlineData(
        """{"id":"a","limits":{"tools":{"a.b":{"rateLimit":"x"}}}}""",
        "limits.tools['a.b'].rateLimit",
        "the value has a wrong type, or is none of the known ones: use a whole number"
    )]
    [InlineData("""{"id":"a","my field":1}""", "['my field']", "there is no such field; check its spelling")]
    [InlineData(
        """{"id":"a","status":"actvie"}""",
        "status",
        "the value has a wrong type, or is none of the known ones: use one of active, suspended"
    )]
    [InlineData("""{"id":"a","urls":"x"}""", "urls", "the value has a wrong type, or is none of the known ones: use a list")]
    [InlineData("""{"id":"a","urls":[1]}""", "urls[0]", "the value has a wrong type, or is none of the known ones: use a text")]
    [InlineData("""{"id":"a","limits":5}""", "limits", "the value has a wrong type, or is none of the known ones: use an object")]
    [InlineData("""{"id":7}""", "id", "the value has a wrong type, or is none of the known ones: use a text")]
    [InlineData("""{"name":"x"}""", "", "'id' is required")]
    [InlineData("""{"id":null}""", "id", "'id' must not be null: leave it out, or give it a value")]
    [InlineData("[]", "", "the value has a wrong type, or is none of the known ones: use an object")]
    public void A_mistake_names_the_field_and_the_fix(string json, string field, string explanation)
    {
        var exception = Catch(json);
        Assert.Equal((field, explanation), (FieldPath.Of(exception), JsonErrors.Explain(exception, TenancyJson.Default.TenantWire)));
    }

    [Fact]
    public void A_field_that_stands_twice_is_named() =>
        Assert.Equal("'id' stands twice: keep one", JsonErrors.Explain(Catch("""{"id":"a","id":"b"}"""), TenancyJson.Default.TenantWire));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"id":"a"} x""")]
    [InlineData("""{"id":"a","token":hunter2secret}""")]
    [InlineData("""{"id":"a","authentication":{"kind":"hunter2secret"}}""")]
    [InlineData("""{"id":"a","limits":{"maxSessions":"hunter2secret"}}""")]
    [InlineData("""{"id":"a","limits":{"maxSessions":99999999999999999999}}""")]
    [InlineData("""{"id":"a","principals":[{"name":"x","token":["hunter2secret"]}]}""")]
    public void A_mistake_tells_neither_a_value_nor_a_type_of_ours(string json)
    {
        foreach (var type in new[] { null, TenancyJson.Default.TenantWire })
        {
            var exception = Catch(json);
            var told = FieldPath.Of(exception) + JsonErrors.Explain(exception, type);
            Assert.DoesNotContain("hunter2", told, StringComparison.Ordinal);
            Assert.DoesNotContain("Tenancy.", told, StringComparison.Ordinal);
            Assert.DoesNotContain("System.", told, StringComparison.Ordinal);
            Assert.DoesNotContain("Path:", told, StringComparison.Ordinal);
            Assert.NotEmpty(JsonErrors.Explain(exception, type));
        }
    }

    private static JsonException Catch(string json) =>
        Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize(json, TenancyJson.Default.TenantWire));
}
