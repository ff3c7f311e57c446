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

/// <summary>
/// Observes one run of a handler, for as long as it takes, whether or not anybody still waits for it. What it knows is the call's, so that
/// measuring takes no memory of its own.
/// </summary>
internal static class CallObservation
{
    /// <summary>Begins the activity of a run; null where nobody listens.</summary>
    public static Activity? Begin(TenantModel tenant, CallerIdentity caller, TenantTool? tool) =>
        TenancyTelemetry.Source.HasListeners() ? Start(tenant, caller, tool?.ProtocolTool.Name) : null;

    /// <summary>A run has ended.</summary>
    /// <param name="metrics">What measures it; null where nobody can listen.</param>
    /// <param name="activity">Its activity.</param>
    /// <param name="begun">When it began, as <see cref="Stopwatch"/> says it.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="tool">The tool; null for another kind of handler.</param>
    /// <param name="outcome">How the run ended.</param>
    public static void End(TenancyMetrics? metrics, Activity? activity, long begun, TenantModel tenant, TenantTool? tool, string outcome)
    {
        if (metrics is { MeasuresCalls: true })
        {
            metrics.Call(Stopwatch.GetElapsedTime(begun).TotalSeconds, tenant.Id.Value, tool?.ProtocolTool.Name, outcome);
        }

        if (activity is null)
        {
            return;
        }

        activity.SetTag("tenancy.outcome", outcome);
        if (outcome is CallOutcome.Failed or CallOutcome.Unavailable)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }

        activity.Dispose();
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
