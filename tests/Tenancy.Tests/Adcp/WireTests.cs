using System.ComponentModel.DataAnnotations;
using System.Reflection;
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
        const string Text =
            """{"idempotency_key":"0123456789abcdef","account":{"account_id":"a","x_account":1},"brand":{"domain":"b.example"}"""
            + ""","start_time":"asap","end_time":"2099-01-01T00:00:00+00:00","packages":["""
            + """{"product_id":"p","pricing_option_id":"c","budget":1,"x_package":{"deep":[1,null]}}],"x_top":"kept"}""";
        var request = JsonSerializer.Deserialize(Text, AdcpJson.Default.CreateMediaBuyRequest)!;
        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(Text), JsonSerializer.SerializeToNode(request, AdcpJson.Default.CreateMediaBuyRequest))
        );
    }

    [Theory]
    [InlineData("\"paused\"")]
    [InlineData("[\"paused\"]")]
    public void A_filter_is_one_status_or_several(string filter)
    {
        var request = JsonSerializer.Deserialize($$"""{"status_filter":{{filter}}}""", AdcpJson.Default.GetMediaBuysRequest)!;
        Assert.Equal([MediaBuyStatus.Paused], request.StatusFilter!);
        Assert.Equal("""{"status_filter":["paused"]}""", JsonSerializer.Serialize(request, AdcpJson.Default.GetMediaBuysRequest));
    }

    [Theory]
    [InlineData("\"halted\"")]
    [InlineData("[\"paused\",\"halted\"]")]
    [InlineData("[[\"paused\"]]")]
    [InlineData("{}")]
    public void A_filter_that_is_no_status_is_refused_at_its_place(string filter)
    {
        var refused = Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize($$"""{"status_filter":{{filter}}}""", AdcpJson.Default.GetMediaBuysRequest)
        );
        Assert.Equal("$.status_filter", refused.Path);
    }

    [Fact]
    public void Without_ids_the_active_media_buys_are_wanted_and_with_ids_all()
    {
        Assert.True(new GetMediaBuysRequest().Wants(MediaBuyStatus.Active));
        Assert.False(new GetMediaBuysRequest().Wants(MediaBuyStatus.Paused));
        Assert.True(new GetMediaBuysRequest { MediaBuyIds = ["a"] }.Wants(MediaBuyStatus.Paused));
        Assert.False(new GetMediaBuysRequest { MediaBuyIds = ["a"], StatusFilter = [MediaBuyStatus.Active] }.Wants(MediaBuyStatus.Paused));
        Assert.True(new GetMediaBuyDeliveryRequest().Wants(MediaBuyStatus.Paused));
    }

    [Fact]
    public void Every_list_of_a_request_has_a_most()
    {
        var found = new List<string>();
        var seen = new HashSet<Type>();
        var waiting = new Queue<Type>(typeof(AdcpRequest).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(AdcpRequest))));
        while (waiting.TryDequeue(out var type))
        {
            foreach (var property in seen.Add(type) ? type.GetProperties() : [])
            {
                var item = ItemOf(property.PropertyType);
                if ((item ?? property.PropertyType) is { } inner && inner.Assembly == typeof(AdcpRequest).Assembly)
                {
                    waiting.Enqueue(inner);
                }

                if (item is not null)
                {
                    found.Add($"{type.Name}.{property.Name}");
                    Assert.True(
                        property.GetCustomAttribute<MaxLengthAttribute>() is { Length: > 0 and <= 1000 },
                        $"{type.Name}.{property.Name} is a list of a request without [MaxLength]: give it the most that AdCP names, or 100."
                    );
                }
            }
        }

        Assert.Contains("CreateMediaBuyRequest.Packages", found);
        Assert.Contains("PackageUpdate.CreativeAssignments", found);
        Assert.True(found.Count > 12, string.Join(' ', found));
    }

    // A dictionary is no list: what it has is found by name.
    private static Type? ItemOf(Type type) =>
        type == typeof(string)
            ? null
            : type.GetInterfaces()
                .Append(type)
                .Where(form => form.IsGenericType && form.GetGenericTypeDefinition() == typeof(IEnumerable<>))
                .Select(form => form.GetGenericArguments()[0])
                .FirstOrDefault(item => !item.IsGenericType || item.GetGenericTypeDefinition() != typeof(KeyValuePair<,>));

    [Fact]
    public void The_list_of_errors_has_each_code_once_with_a_known_recovery()
    {
        var errors = typeof(AdcpError)
            .GetProperties()
            .Where(property => property.PropertyType == typeof(AdcpError))
            .Select(property => (AdcpError)property.GetValue(null)!)
            .ToArray();
        Assert.Equal(50, errors.DistinctBy(error => error.Code).Count());
        Assert.All(errors, error => Assert.Contains(error.Recovery, new[] { "transient", "correctable", "terminal" }));
    }
}
