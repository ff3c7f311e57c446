using System.Text;
using Microsoft.Extensions.Configuration;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>A list or a record of the configuration is that of one source, and never put together from several.</summary>
public sealed class ConfigurationTreeTests
{
    [Theory]
    [InlineData("""{"s":{"a":"x","b":{"c":"y"}}}""", """{"a":"x","b":{"c":"y"}}""")]
    [InlineData("""{"s":["x","y"]}""", """["x","y"]""")]
    [InlineData("""{"s":[{"a":"x"},["y"]]}""", """[{"a":"x"},["y"]]""")]
    [InlineData("""{"s":"x"}""", "\"x\"")]
    [InlineData("""{"s":true}""", "true")]
    [InlineData("""{"s":"true"}""", "\"true\"")]
    [InlineData("""{"s":1.50}""", "\"1.50\"")]
    [InlineData("""{"s":[]}""", "\"\"")]
    [InlineData("""{"s":null}""", null)]
    [InlineData("""{"other":1}""", null)]
    [InlineData("""{"S":{"A":"x"}}""", """{"A":"x"}""")]
    public void A_setting_is_read_as_it_was_written(string json, string? expected) =>
        Assert.Equal(expected, ConfigurationTree.Read(Json(json), "s")?.ToJsonString());

    [Theory]
    // The places of a list count by number: 10 comes after 9.
    [InlineData("""["0","1","2","3","4","5","6","7","8","9","10"]""", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)]
    // One that was left out leaves no hole.
    [InlineData("""["2","7"]""", 7, 2)]
    public void The_places_of_a_list_are_numbers(string expected, params int[] places) =>
        Assert.Equal(expected, ConfigurationTree.Read(Memory(places.Select(place => ($"s:{place}", $"{place}"))), "s")!.ToJsonString());

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.0")]
    [InlineData("٣")]
    [InlineData("99999999999")]
    [InlineData("a")]
    public void A_name_that_is_no_place_makes_a_record(string name) =>
        Assert.Equal(
            new HashSet<string> { "0", name },
            ConfigurationTree.Read(Memory([("s:0", "x"), ($"s:{name}", "y")]), "s")!.AsObject().Select(one => one.Key).ToHashSet()
        );

    [Fact]
    public void The_highest_source_that_has_a_setting_gives_the_whole_of_it()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("s:0", "low"), new("s:1", "low"), new("t:a", "low"), new("t:b", "low"), new("u", "low")])
            .AddInMemoryCollection([new("S:0", "high"), new("T:A", "high")])
            .AddInMemoryCollection([new("else", "highest")])
            .Build();
        Assert.Equal("""["high"]""", ConfigurationTree.Read(configuration, "s")!.ToJsonString());
        Assert.Equal("""{"A":"high"}""", ConfigurationTree.Read(configuration, "t")!.ToJsonString());
        Assert.Equal("\"low\"", ConfigurationTree.Read(configuration, "u")!.ToJsonString());
    }

    [Fact]
    public void A_higher_source_takes_a_list_away_by_an_empty_text()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("s:0", "low")])
            .AddInMemoryCollection([new("s", "")])
            .Build();
        Assert.Equal("\"\"", ConfigurationTree.Read(configuration, "s")!.ToJsonString());
    }

    [Fact]
    public void A_part_of_a_configuration_has_no_order_of_sources_and_is_refused() =>
        Assert.Throws<ArgumentException>(() => ConfigurationTree.Read(Memory([("s:t", "x")]).GetSection("s"), "t"));

    private static IConfigurationRoot Json(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

    private static IConfigurationRoot Memory(IEnumerable<(string Key, string Value)> settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build();
}
