using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Sdk;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>A tool that is shared by the tenants of a platform and called with the context of one.</summary>
/// <remarks>Derive from it, and from <see cref="TenantToolAttribute"/>, for a kind of tool of your own.</remarks>
public abstract class TenantTool : McpServerTool
{
    private static readonly JsonTypeInfo<IDictionary<string, JsonElement>> ArgumentsType =
        (JsonTypeInfo<IDictionary<string, JsonElement>>)
            McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, JsonElement>));

    private readonly SdkCalls _calls;

    /// <summary>Initializes the tool.</summary>
    /// <param name="services">The application's services.</param>
    protected TenantTool(IServiceProvider services) => _calls = services.GetRequiredService<SdkCalls>();

    /// <inheritdoc/>
    public override IReadOnlyList<object> Metadata => [];

    /// <summary>What a caller must be allowed to do, beyond being known.</summary>
    internal IReadOnlyList<string> RequiredScopes { get; set; } = [];

    /// <summary>Whether a call needs the MCP SDK's server, to ask its client something or to report on the way.</summary>
    internal virtual bool NeedsServer => false;

    /// <summary>Whether a call needs the caller as ASP.NET Core has it, with claims: most do without, and it costs to make one.</summary>
    internal virtual bool NeedsUser => RequiredScopes.Count > 0;

    /// <summary>What clients before 2026-07-28 are told of the tool, where that is not <see cref="McpServerTool.ProtocolTool"/>.</summary>
    internal virtual Tool EarlierProtocolTool => ProtocolTool;

    /// <summary>Reads the arguments of a call.</summary>
    /// <param name="arguments">
    /// One JSON object, in UTF-8; empty where the call has none. The bytes are gone when the method returns.
    /// </param>
    /// <returns>The call, ready to run. Nothing may have happened yet.</returns>
    public abstract ToolRun Read(ReadOnlySpan<byte> arguments);

    /// <inheritdoc/>
    public sealed override ValueTask<CallToolResult> InvokeAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _calls.RunAsync(this, request, cancellationToken);
    }

    /// <summary>Answers a call that came by way of the MCP SDK, which has read the arguments as it does.</summary>
    internal virtual async ValueTask<CallToolResult> InvokeAsync(
        Call call,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var run = Read(request.Params.Arguments is { } arguments ? JsonSerializer.SerializeToUtf8Bytes(arguments, ArgumentsType) : []);
        try
        {
            var answer = await run.RunAsync(call, cancellationToken);
            await call.CommitAsync(answer.IsError);
            return answer.ToResult();
        }
        catch (Exception exception) when (exception is not OperationCanceledException && run.Fail(exception, call) is { } failure)
        {
            if (exception is StoreUnavailableException)
            {
                // The client sees the status of the refusal, unless a part of the answer was sent before.
                RequestFlow.Current?.Reply.RefuseForStore();
            }

            return failure.ToResult();
        }
    }
}
