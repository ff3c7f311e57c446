using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Tenancy.Tests.Hosting;

/// <summary>Remembers what one server logged.</summary>
internal sealed class LogRecorder(LogLevel least = LogLevel.Warning) : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();

    public IEnumerable<LogEntry> Entries => _entries;

    public IEnumerable<LogEntry> Errors => _entries.Where(entry => entry.Level >= LogLevel.Error);

    public void Clear() => _entries.Clear();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => _entries.Enqueue(new(logLevel, eventId.Name, $"{formatter(state, exception)} {exception?.Message}"));

    public void Dispose()
    {
        // What it remembers outlives its server.
    }
}

internal sealed record LogEntry(LogLevel Level, string? Event, string Text);
