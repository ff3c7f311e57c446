using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace Checked.Handlers;

/// <summary>
/// What somebody may add to a scaffold, whose own tools have none of it: a scope, and a parameter that travels as a header.
/// </summary>
public sealed class Ledger
{
    [McpServerTool(Name = "close_ledger"), RequireScope("ledger")]
    public static string Close() => "The ledger is closed.";

    [McpServerTool(Name = "read_ledger")]
    public static string Read([McpHeader("Region")] string region) => $"The ledger of {region} is empty.";
}
