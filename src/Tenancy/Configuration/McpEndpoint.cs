namespace Tenancy.Configuration;

/// <summary>Where the MCP endpoint of a tenant is.</summary>
internal static class McpEndpoint
{
    /// <summary>What stands behind the URL of a tenant.</summary>
    public const string Path = "/mcp";
}
