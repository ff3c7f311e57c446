using CsCheck;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

public sealed class FieldPathTests
{
    [Theory]
    [InlineData("", "name", "name")]
    [InlineData("limits", "maxSessions", "limits.maxSessions")]
    [InlineData("limits.tools", "get_products-2", "limits.tools.get_products-2")]
    [InlineData("limits.tools", "a.b", "limits.tools['a.b']")]
    [InlineData("limits.tools['a.b']", "rateLimit", "limits.tools['a.b'].rateLimit")]
    [InlineData("limits.tools", "a b", "limits.tools['a b']")]
    [InlineData("limits.tools", "it's", "limits.tools['it's']")]
    [InlineData("limits.tools", "", "limits.tools['']")]
    [InlineData("", "a[0]", "['a[0]']")]
    public void A_field_is_named_within_its_record(string place, string name, string expected) =>
        Assert.Equal(expected, FieldPath.Join(place, name));

    [Theory]
    [InlineData("", "S")]
    [InlineData("name", "S:name")]
    [InlineData("urls[1]", "S:urls:1")]
    [InlineData("principals[0].scopes[2]", "S:principals:0:scopes:2")]
    [InlineData("limits.tools['a.b'].rateLimit", "S:limits:tools:a.b:rateLimit")]
    [InlineData("limits.tools['a[0].b'].rateLimit", "S:limits:tools:a[0].b:rateLimit")]
    public void A_field_has_the_key_under_which_the_configuration_has_it(string field, string expected) =>
        Assert.Equal(expected, FieldPath.ToSetting("S", field));

    // A name may have all but an end of brackets, which no tool's name has.
    [Fact]
    public void What_is_joined_is_split_again() =>
        Gen.String[Gen.Char["ab.[] '\"\\:\n-_é😂1"], 1, 6]
            .Where(name => !name.Contains("']", StringComparison.Ordinal))
            .Array[1, 4]
            .Sample(names => names.SequenceEqual(FieldPath.Split(names.Aggregate("", FieldPath.Join))), iter: 20_000);
}
