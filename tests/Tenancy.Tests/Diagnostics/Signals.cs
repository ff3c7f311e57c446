using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Diagnostics;

/// <summary>Collects what a server says of itself, as a collector would: metrics, activities and the log with its scopes.</summary>
internal sealed class Signals : ILoggerProvider, ISupportExternalScope, IDisposable
{
    private static readonly string[] Sources =
    [
        TenancyTelemetry.ActivitySourceName,
        TenancyTelemetry.McpName,
        "Microsoft.AspNetCore",
        "Microsoft.AspNetCore.Hosting",
    ];

    private readonly MeterListener _meters = new();
    private readonly ActivityListener? _activities;
    private IExternalScopeProvider? _scopes;
    private object? _scope;

    public Signals(bool traces = true)
    {
        if (traces)
        {
            _activities = new()
            {
                ShouldListenTo = static source => Sources.Contains(source.Name),
                Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = Activities.Enqueue,
            };
            ActivitySource.AddActivityListener(_activities);
        }

        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (Sources.Contains(instrument.Meter.Name))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
    }

    public ConcurrentQueue<Measured> Metrics { get; } = new();

    public ConcurrentQueue<Activity> Activities { get; } = new();

    public ConcurrentQueue<Entry> Log { get; } = new();

    public ConcurrentQueue<Instrument> Instruments { get; } = new();

    /// <summary>Everything that was collected, as text.</summary>
    public IEnumerable<string> Texts =>
        [
            .. Metrics.Select(one => one.ToString()),
            .. Activities.Select(one =>
                $"{one.DisplayName} {one.StatusDescription} {string.Join(' ', one.TagObjects)} {string.Join(' ', one.Baggage)} "
                + string.Join(' ', one.Events.SelectMany(item => item.Tags))
            ),
            .. Log.Select(one => one.ToString()),
        ];

    /// <summary>Listens to one server's meter from now on. Other tests' servers have meters of their own.</summary>
    public void Listen(TenancyServer server)
    {
        _scope = server.Services.GetRequiredService<IMeterFactory>();
        _meters.Start();
    }

    /// <summary>The measurements of an instrument, with those tags that are given.</summary>
    public IEnumerable<Measured> Of(string instrument, params (string Name, object Value)[] tags) =>
        Metrics.Where(one => one.Name == instrument && tags.All(tag => Equals(one.Tags.GetValueOrDefault(tag.Name), tag.Value)));

    public void Observe() => _meters.RecordObservableInstruments();

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        _activities?.Dispose();
        _meters.Dispose();
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (instrument.Meter.Scope is not null && instrument.Meter.Scope != _scope)
        {
            return;
        }

        if (!Instruments.Contains(instrument))
        {
            Instruments.Enqueue(instrument);
        }

        Metrics.Enqueue(new(instrument.Name, value, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));
    }

    internal sealed record Measured(string Name, double Value, Dictionary<string, object?> Tags)
    {
        public override string ToString() => $"{Name} {Value.ToString(CultureInfo.InvariantCulture)} {string.Join(' ', Tags)}";
    }

    internal sealed record Entry(string Category, LogLevel Level, string? Event, string Text, Exception? Exception)
    {
        public Dictionary<string, object?> Scope { get; } = new(StringComparer.Ordinal);

        public override string ToString() => $"{Category} {Level} {Event} {Text} {Exception} {string.Join(' ', Scope)}";
    }

    private sealed class Logger(Signals signals, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => signals._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var entry = new Entry(category, logLevel, eventId.Name, formatter(state, exception), exception);
            signals._scopes?.ForEachScope(
                static (scope, entry) =>
                {
                    foreach (var (name, value) in scope as IEnumerable<KeyValuePair<string, object?>> ?? [])
                    {
                        entry.Scope[name] = value;
                    }
                },
                entry
            );
            signals.Log.Enqueue(entry);
        }
    }
}
