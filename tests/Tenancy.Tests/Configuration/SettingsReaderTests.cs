using System.ComponentModel;
using Microsoft.Extensions.Configuration;
using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

/// <summary>How settings are read, without a server: <see cref="SettingsTests"/> has all forms as an application reads them.</summary>
public sealed class SettingsReaderTests
{
    [Theory]
    [InlineData("Port", "")]
    [InlineData("Port", "   ")]
    [InlineData("Keys", "")]
    public void An_empty_text_is_a_setting_that_is_left_out(string name, string value)
    {
        var (settings, mistakes) = Read((name, value));
        Assert.Empty(mistakes);
        Assert.Equal(80, settings.Port);
        Assert.Equal(name == "Keys" ? [] : ["given"], settings.Keys);
    }

    [Theory]
    [InlineData("Port", "0x10")]
    [InlineData("Port", "1,000")]
    [InlineData("Port", "1e3")]
    [InlineData("Port", "2147483648")]
    [InlineData("Port", "٣")]
    [InlineData("Share", "NaN%")]
    [InlineData("Share", "0,5")]
    [InlineData("Home", "/etc/passwd")]
    [InlineData("Home", "example.com")]
    [InlineData("Home", "//example.com")]
    public void What_cannot_be_read_leaves_the_default_and_is_one_mistake(string name, string value)
    {
        var (settings, mistakes) = Read((name, value));
        Assert.StartsWith($"S:{name} is '{value}': use ", Assert.Single(mistakes), StringComparison.Ordinal);
        Assert.Equal((80, 0.5, null), (settings.Port, settings.Share, settings.Home));
    }

    [Theory]
    [InlineData("Secret", "hunter2")]
    [InlineData("Inner", "hunter2")]
    [InlineData("Inner:Deep", "hunter2")]
    [InlineData("Secret:0", "hunter2")]
    [InlineData("Unknown", "hunter2")]
    [InlineData("Keys:0:Key", "hunter2")]
    public void A_mistake_repeats_no_value_that_may_be_a_secret(string name, string value)
    {
        var (_, mistakes) = Read((name, value));
        Assert.DoesNotContain("hunter2", Assert.Single(mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mistake_is_said_and_what_is_right_is_read()
    {
        var (settings, mistakes) = Read(("Port", "x"), ("Share", "y"), ("Prot", "1"), ("Inner:Level", "7"), ("Inner:Lvl", "1"));
        Assert.Equal(
            ["S:Inner:Lvl is not a setting", "S:Port is 'x'", "S:Prot is not a setting: did you mean Port?", "S:Share is 'y'"],
            mistakes
                .Select(mistake =>
                    mistake[
                        ..(
                            mistake.IndexOf('?', StringComparison.Ordinal) is > 0 and var end ? end + 1
                            : mistake.IndexOfAny([':', '.'], 8) is var other ? other
                            : 0
                        )
                    ]
                )
                .Order()
        );
        Assert.Equal(7, settings.Inner.Level);
    }

    [Fact]
    public void A_setting_is_found_however_its_name_is_written_and_a_property_that_cannot_be_set_is_none()
    {
        Assert.Equal(8080, Read(("PORT", "8080")).Settings.Port);
        Assert.StartsWith("S:Sum is not a setting", Assert.Single(Read(("Sum", "1")).Mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_section_within_another_is_no_unknown_setting_of_it()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("S:Plugin:X", "1"), new("S:Plugins:X", "1")]).Build();
        var reader = new SettingsReader(configuration, ["S", "S:Plugin", "S:Plugin:Deeper"]);
        reader.Read(new Sample(), "S");
        Assert.StartsWith("S:Plugins is not a setting", Assert.Single(reader.Mistakes), StringComparison.Ordinal);
    }

    private static (Sample Settings, IReadOnlyList<string> Mistakes) Read(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create("S:" + setting.Name, (string?)setting.Value)))
            .Build();
        var (sample, reader) = (new Sample(), new SettingsReader(configuration, ["S"]));
        reader.Read(sample, "S");
        return (sample, reader.Mistakes);
    }

    private sealed class Sample
    {
        public int Port { get; set; } = 80;

        public double Share { get; set; } = 0.5;

        public Uri? Home { get; set; }

        [PasswordPropertyText(true)]
        public int? Secret { get; set; }

        public IReadOnlyList<string> Keys { get; set; } = ["given"];

        public Inner Inner { get; set; } = new();

        public int Sum => Port;
    }

    private sealed class Inner
    {
        public int Level { get; set; }
    }
}
