using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What travels, and what does not get lost.</summary>
public sealed class WireTests
{
    [Fact]
    public void Fields_that_a_record_does_not_know_survive_at_every_depth()
    {
        const string Text = """{"idempotency_key":"0123456789abcdef","account":{"account_id":"a","x_account":1},"brand":{"domain":"b.example"},"start_time":"asap","end_time":"2099-01-01T00:00:00+00:00","packages":[{"product_id":"p","pricing_option_id":"c","budget":1,"x_package":{"deep":[1,null]}}],"x_top":"kept"}""";
        var request = JsonSerializer.Deserialize(Text, AdcpJson.Default.CreateMediaBuyRequest)!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Text), JsonSerializer.SerializeToNode(request, AdcpJson.Default.CreateMediaBuyRequest)));
    }

    [Fact]
    public void The_list_of_errors_has_each_code_once_with_a_known_recovery()
    {
        var errors = typeof(AdcpError).GetProperties().Where(property => property.PropertyType == typeof(AdcpError)).Select(property => (AdcpError)property.GetValue(null)!).ToArray();
        Assert.Equal(46, errors.DistinctBy(error => error.Code).Count());
        Assert.All(errors, error => Assert.Contains(error.Recovery, new[] { "transient", "correctable", "terminal" }));
    }
}
