using System.Diagnostics;

namespace Tenancy.Diagnostics;

/// <summary>The names by which a collector listens to this library. What they give is listed in <c>docs/operate.md</c>.</summary>
public static class TenancyTelemetry
{
    /// <summary>The meter.</summary>
    public const string MeterName = "Tenancy";

    /// <summary>The activity source: the gate of a request, runs of handlers, and what goes to the store.</summary>
    public const string ActivitySourceName = "Tenancy";

    /// <summary>The meter and the activity source of MCP operations, which are the MCP SDK's own.</summary>
    public const string McpName = "Experimental.ModelContextProtocol";

    internal static ActivitySource Source { get; } = new(ActivitySourceName, Release.Version);
}
