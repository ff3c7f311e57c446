using Microsoft.Extensions.Logging;

namespace Tenancy.Mcp.Requests;

/// <summary>The same of a request, whose tool is known once its message was read.</summary>
internal sealed class RequestLogScope(McpRequest request) : CallLogScope(request.Tenant.Id, request.Caller, tool: null)
{
    protected override string? Tool => request.Tool?.ProtocolTool.Name;

    /// <summary>Begins the scope; null where nothing is logged at all.</summary>
    public static IDisposable? Begin(ILogger logger, McpRequest request) =>
        logger.IsEnabled(LogLevel.Critical) ? logger.BeginScope(new RequestLogScope(request)) : null;
}
