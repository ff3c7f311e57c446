using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp;

/// <summary>A tool of the MCP SDK's own form, run in the call's scope. A <see cref="ToolContext"/> parameter gets the tenant's context.</summary>
internal sealed class PlainTool : TenantTool
{
    private readonly McpServerTool _tool;

    public PlainTool(Type handlers, MethodInfo method, IServiceProvider services)
        : base(services)
    {
        var options = new McpServerToolCreateOptions { Services = services };
        var create = ActivatorUtilities.CreateFactory(handlers, []);
        _tool = method.IsStatic
            ? McpServerTool.Create(method, target: null, options)
            : McpServerTool.Create(method, request => create(request.Services!, null), options);
        WithObjectOutput = ObjectOutput.Describe(_tool.ProtocolTool);
    }

    public override Tool ProtocolTool => _tool.ProtocolTool;

    /// <summary>What clients before 2026-07-28 are told of it.</summary>
    public Tool WithObjectOutput { get; }

    public override IReadOnlyList<object> Metadata => _tool.Metadata;

    protected override ValueTask<CallToolResult> InvokeAsync(ToolCall toolCall, CancellationToken cancellationToken)
    {
        toolCall.Request.Services = toolCall.Services;
        return _tool.InvokeAsync(toolCall.Request, cancellationToken);
    }
}
