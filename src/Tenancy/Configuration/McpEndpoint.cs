namespace Tenancy.Configuration;

/// <summary>Where the MCP endpoint of a tenant is, and how a request names its session.</summary>
internal static class McpEndpoint
{
    /// <summary>What stands behind the URL of a tenant.</summary>
    public const string Path = "/mcp";

    /// <summary>The header by which a request names its session.</summary>
    public const string SessionIdHeader = "Mcp-Session-Id";
}
