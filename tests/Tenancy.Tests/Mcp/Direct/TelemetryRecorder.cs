using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tenancy.Tests.Mcp.Direct;

/// <summary>
/// Listens to the activities and the durations of MCP operations, and to the activities of HTTP requests where it is asked to.
/// </summary>
internal sealed class TelemetryRecorder : IDisposable
{
    public const string HttpActivities = "Microsoft.AspNetCore";

    private const string Name = "Experimental.ModelContextProtocol";
    private const string Duration = "mcp.server.operation.duration";
    private readonly ActivityListener _activities;
    private readonly MeterListener _durations = new();

    /// <param name="sources">The activity sources that are listened to; the MCP ones where none are named.</param>
    public TelemetryRecorder(params string[] sources)
    {
        _activities = new()
        {
            ShouldListenTo = source => (sources.Length == 0 ? [Name, HttpActivities] : sources).Contains(source.Name),
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Activities.Enqueue,
        };
        ActivitySource.AddActivityListener(_activities);
        _durations.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Name && instrument.Name == Duration)
            {
                Instruments.Enqueue((Histogram<double>)instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _durations.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Durations.Enqueue(new(seconds, [.. tags.ToArray()])));
        _durations.Start();
    }

    public ConcurrentQueue<Histogram<double>> Instruments { get; } = new();

    public ConcurrentQueue<Measurement> Durations { get; } = new();

    public ConcurrentQueue<Activity> Activities { get; } = new();

    /// <summary>Gets the activities of MCP operations, such as a call.</summary>
    public IEnumerable<Activity> Operations =>
        Activities.Where(activity => activity.Source.Name == Name && activity.Kind == ActivityKind.Server);

    public void Clear()
    {
        Durations.Clear();
        Activities.Clear();
    }

    public void Dispose()
    {
        _activities.Dispose();
        _durations.Dispose();
    }

    internal sealed record Measurement(double Seconds, KeyValuePair<string, object?>[] Tags)
    {
        public string? Method => Tags.FirstOrDefault(tag => tag.Key == "mcp.method.name").Value as string;
    }
}
