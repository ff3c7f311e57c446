using System.Diagnostics;

namespace Tenancy.Diagnostics;

/// <summary>What an answer that fails says of itself, so that its line in the log, and its trace, are found.</summary>
internal static class FailureReference
{
    /// <summary>The id of the trace, or where there is none an id that looks like it.</summary>
    public static string New() =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity
            ? activity.TraceId.ToHexString()
            : ActivityTraceId.CreateRandom().ToHexString();
}
