using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp;

/// <summary>A tool that is shared by the tenants of a platform and called with the context of one.</summary>
/// <remarks>Derive from it, and from <see cref="TenantToolAttribute"/>, for a kind of tool of your own.</remarks>
public abstract class TenantTool : McpServerTool
{
    /// <inheritdoc/>
    public override IReadOnlyList<object> Metadata => [];

    /// <summary>Gets or sets what answers a call by way of the MCP SDK. The platform that has the tool sets it.</summary>
    internal IToolCalls? Calls { get; set; }

    /// <summary>What a caller must be allowed to do, beyond being known.</summary>
    internal IReadOnlyList<string> RequiredScopes { get; set; } = [];

    /// <summary>Whether a call needs the MCP SDK's server, to ask its client something or to report on the way.</summary>
    internal virtual bool NeedsServer => false;

    /// <summary>Whether a call needs the caller as ASP.NET Core has it, with claims: most do without, and it costs to make one.</summary>
    internal virtual bool NeedsUser => RequiredScopes.Count > 0;

    /// <summary>Whether a call holds its thread until it has an answer.</summary>
    internal virtual bool IsSynchronous => false;

    /// <summary>What clients are told of the tool, where that is not <see cref="McpServerTool.ProtocolTool"/>.</summary>
    internal virtual Tool ListedProtocolTool => ProtocolTool;

    /// <summary>What clients before 2026-07-28 are told of it.</summary>
    internal virtual Tool EarlierProtocolTool => ProtocolTool;

    /// <summary>Reads the arguments of a call.</summary>
    /// <param name="arguments">
    /// One JSON object, in UTF-8; empty where the call has none. The bytes are gone when the method returns.
    /// </param>
    /// <returns>
    /// The call, ready to run. Reading must have no effect of its own: the call may still be refused, and is then never run.
    /// </returns>
    public abstract ToolRun Read(ReadOnlySpan<byte> arguments);

    /// <inheritdoc/>
    public sealed override ValueTask<CallToolResult> InvokeAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return Calls is { } calls
            ? calls.RunAsync(this, request, cancellationToken)
            : throw new InvalidOperationException(
                $"The tool '{ProtocolTool.Name}' belongs to no platform: add its class with AddHandlers, not to McpServerOptions."
            );
    }
}

/// <summary>Answers calls of tools that the MCP SDK asks for.</summary>
internal interface IToolCalls
{
    /// <summary>Runs the tool for the tenant and the caller of the request that the SDK's message came with.</summary>
    ValueTask<CallToolResult> RunAsync(TenantTool tool, RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken);
}
