using Microsoft.Extensions.Logging;

namespace Tenancy.Tests.Hosting;

/// <summary>Writes warnings and errors of the server to the output of the test that caused them.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    public static TestLog Provider { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => TestContext.Current.TestOutputHelper?.WriteLine($"{logLevel}: {formatter(state, exception)} {exception}");

    public void Dispose()
    {
        // One for all servers of the run.
    }
}
