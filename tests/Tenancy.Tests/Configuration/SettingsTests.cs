using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Configuration;

/// <summary>A library beside this one reads its settings as this one does: the same forms, the same checks, the same words.</summary>
[Tier(Tier.Server)]
public sealed class SettingsTests
{
    [Fact]
    public void A_setting_that_is_left_out_keeps_its_default()
    {
        var settings = Read<GardenSettings>([]);
        Assert.Equal(
            (Soil.Loam, 7, null, 0.5, true, TimeSpan.FromHours(1)),
            (settings.Soil, settings.Beds, settings.Trees, settings.Slope, settings.IsOpen, settings.Rest)
        );
        Assert.Equal(["spade"], settings.Tools);
        Assert.Equal(3, settings.Pond.Fish);
    }

    [Fact]
    public void Every_form_of_a_setting_is_read()
    {
        var settings = Read<GardenSettings>(
            new()
            {
                ["Soil"] = "CLAY",
                ["Beds"] = " 9 ",
                ["Trees"] = "12",
                ["Slope"] = "0.25",
                ["IsOpen"] = "False",
                ["Rest"] = "00:20:00",
                ["Name"] = "Eden",
                ["Map"] = "https://example.com/map",
                ["Tools:0"] = "rake",
                ["Tools:1"] = "hoe",
                ["Plots"] = "10.0.0.0/8, fd00::/8",
                ["Visitors"] = "grownups,dogs",
                ["pond:fish"] = "8",
            }
        );
        Assert.Equal(
            (Soil.Clay, 9, 12, 0.25, false, TimeSpan.FromMinutes(20)),
            (settings.Soil, settings.Beds, settings.Trees, settings.Slope, settings.IsOpen, settings.Rest)
        );
        Assert.Equal(("Eden", Visitors.Adults | Visitors.Dogs, 8), (settings.Name, settings.Visitors, settings.Pond.Fish));
        Assert.Equal(new Uri("https://example.com/map"), settings.Map);
        Assert.Equal(["rake", "hoe"], settings.Tools);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")], settings.Plots);
    }

    [Theory]
    [InlineData("Soil", "mud", "Tenancy:Garden:Soil is 'mud': use loam, clay or sand.")]
    [InlineData("Soil", "1", "Tenancy:Garden:Soil is '1': use loam, clay or sand.")]
    [InlineData("Beds", "many", "Tenancy:Garden:Beds is 'many': use a whole number.")]
    [InlineData("Beds", "0", "Tenancy:Garden:Beds is 0: use a whole number from 1 to 20.")]
    [InlineData("Beds:0", "1", "Tenancy:Garden:Beds is a list or a section: use a whole number.")]
    [InlineData("Slope", "steep", "Tenancy:Garden:Slope is 'steep': use a number, such as 0.5.")]
    [InlineData("Slope", "1.5", "Tenancy:Garden:Slope is 1.5: use a number from 0 to 1.")]
    [InlineData("IsOpen", "perhaps", "Tenancy:Garden:IsOpen is 'perhaps': use true or false.")]
    [InlineData("Rest", "long", "Tenancy:Garden:Rest is 'long': use hours:minutes:seconds, such as 00:00:30.")]
    [InlineData("Rest", "25:00:00", "Tenancy:Garden:Rest is 25.00:00:00: use 00:10:00 to 12:00:00 (hours:minutes:seconds).")]
    [InlineData("Rest", "23:00:00", "Tenancy:Garden:Rest is 23:00:00: use 00:10:00 to 12:00:00 (hours:minutes:seconds).")]
    [InlineData("Name", "0123456789x", "Tenancy:Garden:Name must have 1 to 10 characters, or be left out.")]
    [InlineData("Map", "here", "Tenancy:Garden:Map is 'here': use an absolute URL, such as https://example.com.")]
    [InlineData("Tools", "a,b,c,d", "Tenancy:Garden:Tools has 4 values: 3 are the most.")]
    [InlineData("Tools:0:x", "a", "Tenancy:Garden:Tools must be a list of texts.")]
    [InlineData("Plots", "10.0.0.0/99", "Tenancy:Garden:Plots has '10.0.0.0/99': use an address, or a network such as")]
    [InlineData("Visitors", "adults,cats", "Tenancy:Garden:Visitors has 'cats': use any of adults (or grownUps) and dogs.")]
    [InlineData("Visitors", "nobody", "Tenancy:Garden:Visitors has 'nobody': use any of adults (or grownUps) and dogs.")]
    [InlineData("Pond:Fish", "-1", "Tenancy:Garden:Pond:Fish is -1: use at least 0 fish.")]
    [InlineData("Pond:Fihs", "1", "Tenancy:Garden:Pond:Fihs is not a setting: did you mean Fish? The settings of this")]
    [InlineData("Zebras", "1", "Tenancy:Garden:Zebras is not a setting. The settings of this section are Soil, Beds,")]
    [InlineData("Pond", "deep secret", "Tenancy:Garden:Pond is a section and has no value: set one of its settings, Fish, Gate.")]
    [InlineData("Pond:Gate", "a secret", "Tenancy:Garden:Pond:Gate cannot be read: use an absolute URL, such as https://example.com.")]
    public void A_mistake_names_the_setting_the_value_and_the_fix(string setting, string value, string message)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Read<GardenSettings>(new() { [setting] = value }));
        Assert.StartsWith(message, Assert.Single(refused.Failures), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_is_taken_whole_from_the_highest_source_and_a_section_setting_by_setting()
    {
        var settings = Read<GardenSettings>(
            new()
            {
                ["Tools:0"] = "rake",
                ["Tools:1"] = "hoe",
                ["Pond:Fish"] = "1",
                ["Pond:Gate"] = "https://example.com",
            },
            new() { ["Tools:0"] = "scythe", ["Pond:Fish"] = "2" }
        );
        Assert.Equal(["scythe"], settings.Tools);
        Assert.Equal((2, "example.com"), (settings.Pond.Fish, settings.Pond.Gate!.Host));
    }

    [Fact]
    public void What_code_sets_is_checked_as_what_is_read()
    {
        var refused = Assert.Throws<OptionsValidationException>(() =>
            Read<GardenSettings>([], services: services => services.Configure<GardenSettings>(settings => settings.Beds = 21))
        );
        Assert.Equal("Tenancy:Garden:Beds is 21: use a whole number from 1 to 20.", Assert.Single(refused.Failures));
    }

    [Fact]
    public void A_section_that_nobody_reads_is_a_mistake()
    {
        var configuration = new ConfigurationManager { ["Tenancy:Adcp:TestMode"] = "true" };
        SettingsSection tenancy = new(typeof(TenancyOptions), TenancyOptions.SectionName);
        SettingsSection adcp = new(typeof(AdcpOptions), AdcpOptions.SectionName);
        var refused = new SettingsBinder<TenancyOptions>(new TenancyConfiguration(configuration), [tenancy]).Validate(
            Options.DefaultName,
            new()
        );
        Assert.StartsWith("Tenancy:Adcp is not a setting.", refused.FailureMessage, StringComparison.Ordinal);
        Assert.Null(
            new SettingsBinder<TenancyOptions>(new TenancyConfiguration(configuration), [tenancy, adcp])
                .Validate(Options.DefaultName, new())
                .FailureMessage
        );
    }

    [Fact]
    public void A_type_that_no_setting_can_have_is_told_to_whoever_wrote_the_class()
    {
        var refused = Assert.Throws<NotSupportedException>(() => Read<WrongSettings>(new() { ["Day"] = "today" }));
        Assert.Equal("Tenancy:Garden:Day has the type System.DateTime, which no setting can have.", refused.Message);
    }

    private static TSettings Read<TSettings>(
        Dictionary<string, string?> settings,
        Dictionary<string, string?>? higher = null,
        Action<IServiceCollection>? services = null
    )
        where TSettings : class, new()
    {
        var builder = WebApplication.CreateBuilder();
        foreach (var source in new[] { settings, higher ?? [] })
        {
            builder.Configuration.AddInMemoryCollection(
                source.Select(setting => KeyValuePair.Create("Tenancy:Garden:" + setting.Key, setting.Value))
            );
        }

        builder.Services.AddTenancy(builder.Configuration).AddSettings<TSettings>("Tenancy:Garden");
        services?.Invoke(builder.Services);
        using var app = builder.Build();
        return app.Services.GetRequiredService<IOptions<TSettings>>().Value;
    }

    internal enum Soil
    {
        Loam,
        Clay,
        Sand,
    }

    [Flags]
    internal enum Visitors
    {
        Nobody = 0,

        [AlsoRead("grownUps")]
        Adults = 1,

        Dogs = 2,
    }

    internal sealed class GardenSettings
    {
        public Soil Soil { get; set; }

        [Range(1, 20)]
        public int Beds { get; set; } = 7;

        public int? Trees { get; set; }

        [Range(0.0, 1.0)]
        public double Slope { get; set; } = 0.5;

        public bool IsOpen { get; set; } = true;

        [Range(typeof(TimeSpan), "00:10:00", "12:00:00")]
        public TimeSpan Rest { get; set; } = TimeSpan.FromHours(1);

        [Length(1, 10)]
        public string? Name { get; set; }

        public Uri? Map { get; set; }

        [MaxLength(3)]
        public IReadOnlyList<string> Tools { get; set; } = ["spade"];

        public IReadOnlyList<IPNetwork> Plots { get; set; } = [];

        public Visitors Visitors { get; set; }

        public PondSettings Pond { get; set; } = new();

        public int Area => Beds * 2;
    }

    internal sealed class PondSettings
    {
        [Range(0, long.MaxValue), Unit("fish")]
        public long Fish { get; set; } = 3;

        [PasswordPropertyText(true)]
        public Uri? Gate { get; set; }
    }

    internal sealed class WrongSettings
    {
        public DateTime Day { get; set; }
    }
}
