using System.Text;
using System.Text.Json;
using Tenancy.Adcp;
using Tenancy.State;

namespace Tenancy.Tests.State;

public sealed class RequestHashTests
{
    private const string Request =
        """{"idempotency_key":"k","context":{"a":1},"governance_context":"g","budget":100"""
        + ""","push_notification_config":{"url":"u","authentication":{"schemes":["Bearer"],"credentials":"secret"}}}""";

    [Theory]
    [InlineData("""{"budget":1e2,"push_notification_config":{"authentication":{"schemes":["Bearer"]},"url":"u"}}""")]
    [InlineData(
        """{"idempotency_key":"other","context":null,"governance_context":{},"budget":100.0"""
            + ""","push_notification_config":{"url":"u","authentication":{"credentials":"rotated","schemes":["Bearer"]}}}"""
    )]
    public void What_the_closed_list_names_counts_for_nothing(string same) => Assert.Equal(Hash(Request), Hash(same));

    [Theory]
    [InlineData("""{"a":null}""", "{}")]
    [InlineData("""{"a":1}""", """{"a":"1"}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""")]
    [InlineData("""{"a":"\u00e5"}""", """{"a":"a\u030a"}""")]
    [InlineData("""{"nested":{"context":1}}""", """{"nested":{"context":2}}""")]
    [InlineData("""{"nested":{"idempotency_key":1}}""", """{"nested":{}}""")]
    [InlineData("""{"list":[{"context":1}]}""", """{"list":[{"context":2}]}""")]
    [InlineData("""{"credentials":1}""", """{"credentials":2}""")]
    [InlineData("""{"authentication":{"credentials":1}}""", """{"authentication":{"credentials":2}}""")]
    [InlineData("""{"push_notification_config":{"credentials":1}}""", """{"push_notification_config":{"credentials":2}}""")]
    [InlineData(
        """{"push_notification_config":{"authentication":{"schemes":1}}}""",
        """{"push_notification_config":{"authentication":{"schemes":2}}}"""
    )]
    [InlineData("""{"push_notification_config":null}""", "{}")]
    [InlineData("""{"push_notification_config.authentication.credentials":1}""", "{}")]
    [InlineData("""{"Context":1}""", "{}")]
    [InlineData("""{"ext":1}""", "{}")]
    public void Anything_else_makes_another_request(string one, string other) => Assert.NotEqual(Hash(one), Hash(other));

    [Fact]
    public void A_hash_is_a_SHA_256_of_the_canonical_form() =>
        Assert.Equal("RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o", Hash("""{"context":1}"""));

    private static string Hash(string json)
    {
        return RequestHash.Compute(Encoding.UTF8.GetBytes(json), AdcpRequestHash.Omitted);
    }
}
