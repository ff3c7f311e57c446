using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Diagnostics;

namespace Tenancy.Tests.Docs;

/// <summary>docs/operate.md lists what is measured, and its alerts ask for nothing else.</summary>
public sealed partial class TelemetryPageTests
{
    // What ASP.NET Core and Prometheus measure themselves.
    private static readonly string[] Foreign = ["http_server_request_duration_seconds", "up"];

    private static readonly Page Page = Page.Read("docs/operate.md");

    [Fact]
    public void Every_instrument_has_a_row_with_its_kind_and_unit()
    {
        var seen = Instruments()
            .Select(instrument => $"{instrument.Name} {KindOf(instrument)} {instrument.Unit}")
            .Order(StringComparer.Ordinal);
        var rows = Page.Rows("| instrument | kind").Select(row => $"{row[0].Trim('`')} {row[1]} {row[2]}").Order(StringComparer.Ordinal);
        Assert.Equal(seen, rows);
    }

    [Fact]
    public void Alerts_ask_for_what_is_measured()
    {
        var alerts = Page.Between("## Alerts", "## Limits");
        var asked = Metric().Matches(alerts).Select(match => match.Groups[1].Value).Distinct().ToArray();
        Assert.True(asked.Length >= 7, $"{asked.Length} metrics");
        Assert.Empty(asked.Except([.. Instruments().Select(NameInPrometheus), .. Foreign]));
        var attributes = Page.Rows("| instrument | kind")
            .SelectMany(row => row[3].Split(','))
            .Select(name => name.Trim().Trim('`').Replace('.', '_'))
            .Append("le")
            .ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Label().Matches(alerts).SelectMany(match => match.Groups[1].Value.Split(", ")).Except(attributes));
    }

    private static string NameInPrometheus(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        return instrument switch
        {
            Histogram<double> => name + "_seconds",
            Counter<long> => name + "_total",
            _ => instrument.Unit == "s" ? name + "_seconds" : name,
        };
    }

    private static string KindOf(Instrument instrument) =>
        instrument is Histogram<double> ? "histogram"
        : instrument is Counter<long> ? "counter"
        : "gauge";

    private static List<Instrument> Instruments()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var (meters, instruments) = (services.GetRequiredService<IMeterFactory>(), new List<Instrument>());
        var metrics = new TenancyMetrics(meters, 1);
        metrics.ObserveLag(() => 0);
        metrics.ObserveSlices(() => 0);
        metrics.ObserveTenants(() => []);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == TenancyTelemetry.MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        return instruments;
    }

    [GeneratedRegex(@"\b((?:tenancy|db|http)_[a-z_]+?(?:_total|_seconds|(?<=tenants)))(?:_count|_bucket)?[{\[)]")]
    private static partial Regex Metric();

    [GeneratedRegex(@"by \(([a-z_, ]+)\)")]
    private static partial Regex Label();
}
