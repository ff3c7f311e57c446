using System.Diagnostics;
using Tenancy.Diagnostics;

namespace Tenancy.State;

/// <summary>Times one command of the store. Where nobody listens it is empty, and takes nothing.</summary>
internal readonly struct StoreObservation
{
    private readonly TenancyMetrics? _metrics;
    private readonly Activity? _activity;
    private readonly StoreCommand _command;
    private readonly long _begun;

    private StoreObservation(TenancyMetrics? metrics, Activity? activity, StoreCommand command) =>
        (_metrics, _activity, _command, _begun) = (metrics, activity, command, Stopwatch.GetTimestamp());

    /// <summary>Begins to observe a command.</summary>
    /// <remarks>
    /// It is traced as a part of what it is for. What a node does by itself, such as asking for changes each second, would only be noise.
    /// </remarks>
    public static StoreObservation Begin(TenancyMetrics? metrics, StoreCommand command)
    {
        var activity = TenancyTelemetry.Source.HasListeners() && Activity.Current is not null ? Start(command) : null;
        var measuring = metrics is { MeasuresStore: true } ? metrics : null;
        return activity is null && measuring is null ? default : new(measuring, activity, command);
    }

    /// <summary>The command has ended.</summary>
    /// <param name="exception">What it threw; null where it was answered.</param>
    public void End(Exception? exception = null)
    {
        var error = exception?.GetType().FullName;
        _metrics?.Store(Stopwatch.GetElapsedTime(_begun).TotalSeconds, _command.Name, _command.Script, error);
        if (_activity is null)
        {
            return;
        }

        if (error is not null)
        {
            _activity.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error);
        }

        _activity.Dispose();
    }

    private static Activity? Start(StoreCommand command)
    {
        var activity = TenancyTelemetry.Source.StartActivity(
            command.Script is { } script ? $"{command.Name} {script}" : command.Name,
            ActivityKind.Client
        );
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("db.system.name", "redis").SetTag("db.operation.name", command.Name);
            if (command.Script is not null)
            {
                activity.SetTag("db.stored_procedure.name", command.Script);
            }
        }

        return activity;
    }
}

/// <summary>What the store is asked.</summary>
/// <param name="Name">The command.</param>
/// <param name="Script">The script, where it is one.</param>
internal readonly record struct StoreCommand(string Name, string? Script = null)
{
    public static implicit operator StoreCommand(string name) => new(name);
}
