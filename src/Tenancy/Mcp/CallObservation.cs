using System.Diagnostics;
using ModelContextProtocol;
using Tenancy.Authentication;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>How a run of a handler ended, as metrics and traces have it.</summary>
internal static class CallOutcome
{
    public const string Ok = "ok";

    /// <summary>The caller was told what is wrong with what it asked for.</summary>
    public const string Error = "error";

    /// <summary>The handler failed, which is not the caller's fault.</summary>
    public const string Failed = "failed";

    /// <summary>The store did not answer.</summary>
    public const string Unavailable = "unavailable";

    public const string Cancelled = "cancelled";

    /// <summary>How a run ended, as traffic has it.</summary>
    public static CallEnd EndOf(string outcome) =>
        outcome switch
        {
            Ok => CallEnd.Good,
            Error => CallEnd.Error,
            Cancelled => CallEnd.Cancelled,
            _ => CallEnd.Failed,
        };

    /// <summary>
    /// Whether a handler ended because its call was cancelled. The timeout of what it called itself, such as of an <c>HttpClient</c>, looks
    /// much the same, and is a failure.
    /// </summary>
    public static bool IsCancelled(OperationCanceledException exception, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested && exception.InnerException is not TimeoutException;

    /// <summary>Whose fault an exception of a handler is.</summary>
    public static string Of(Exception exception, bool isCallersFault = false) =>
        exception switch
        {
            _ when isCallersFault => Error,
            StoreUnavailableException => Unavailable,
            McpException or CallRefusedException => Error,
            _ => Failed,
        };
}

/// <summary>Observes one run of a handler, for as long as it takes, whether or not anybody still waits for it.</summary>
internal sealed class CallObservation
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly TenancyMetrics? _metrics;
    private readonly TenantModel _tenant;
    private readonly string? _tool;
    private readonly Activity? _activity;

    private CallObservation(TenancyMetrics? metrics, TenantModel tenant, CallerIdentity caller, string? tool, bool isTraced)
    {
        (_metrics, _tenant, _tool) = (metrics, tenant, tool);
        _activity = isTraced ? Start(tenant, caller, tool) : null;
    }

    /// <summary>Begins to observe a run; null where nobody listens.</summary>
    public static CallObservation? Begin(TenancyMetrics? metrics, TenantModel tenant, CallerIdentity caller, TenantTool? tool)
    {
        var isTraced = TenancyTelemetry.Source.HasListeners();
        var measuring = metrics is { MeasuresCalls: true } ? metrics : null;
        return isTraced || measuring is not null ? new(measuring, tenant, caller, tool?.ProtocolTool.Name, isTraced) : null;
    }

    /// <param name="outcome">How the run ended.</param>
    public void End(string outcome)
    {
        _metrics?.Call(Stopwatch.GetElapsedTime(_begun).TotalSeconds, _tenant.Id.Value, _tool, outcome);
        if (_activity is null)
        {
            return;
        }

        _activity.SetTag("tenancy.outcome", outcome);
        if (outcome is CallOutcome.Failed or CallOutcome.Unavailable)
        {
            _activity.SetStatus(ActivityStatusCode.Error);
        }

        _activity.Dispose();
    }

    // The name is that of the semantic conventions for tools.
    private static Activity? Start(TenantModel tenant, CallerIdentity caller, string? tool)
    {
        var activity = TenancyTelemetry.Source.StartActivity(tool is null ? "handle" : $"execute_tool {tool}");
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("tenancy.tenant", tenant.Id.Value).SetTag("tenancy.caller", TenantKeyspace.Hash(caller.Value));
            if (tool is not null)
            {
                activity.SetTag("gen_ai.operation.name", "execute_tool").SetTag("gen_ai.tool.name", tool);
            }
        }

        return activity;
    }
}
