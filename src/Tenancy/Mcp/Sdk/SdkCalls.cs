using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Makes each handler that the MCP SDK runs a call of the request's tenant and caller: tools, prompts, resources, and an application's own
/// methods.
/// </summary>
internal sealed class SdkCalls(CallStarter starter) : IToolCalls, IPostConfigureOptions<McpServerOptions>
{
    private static readonly JsonTypeInfo<IDictionary<string, JsonElement>> ArgumentsType =
        (JsonTypeInfo<IDictionary<string, JsonElement>>)
            McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, JsonElement>));

    /// <summary>Answers a call of a tool.</summary>
    public async ValueTask<CallToolResult> RunAsync(
        TenantTool tool,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var call = Begin(tool);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, RequestFlow.Current!.SessionEnds);
        try
        {
            return tool is MethodTool method
                ? await RunAsync(method, call, request, ends.Token)
                : await RunAsync(tool, call, request, ends.Token);
        }
        catch (StoreUnavailableException)
        {
            RequestFlow.Current!.Reply.RefuseForStore();
            throw;
        }
        catch (CallRefusedException exception)
        {
            // What the SDK tells the client of.
            throw new McpException(exception.CallerMessage, exception);
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    public void PostConfigure(string? name, McpServerOptions options)
    {
        var filters = options.Filters.Request;
        filters.ListPromptsFilters.Add(Filter);
        filters.GetPromptFilters.Add(Filter);
        filters.ListResourcesFilters.Add(Filter);
        filters.ListResourceTemplatesFilters.Add(Filter);
        filters.ReadResourceFilters.Add(Filter);
        filters.SubscribeToResourcesFilters.Add(Filter);
        filters.UnsubscribeFromResourcesFilters.Add(Filter);
        filters.CompleteFilters.Add(Filter);
#pragma warning disable MCPEXP002 // See Wrap.
        if (options.RequestHandlers is { } handlers)
        {
            // No filter stands before an application's own methods, so that each is wrapped.
            options.RequestHandlers = [.. handlers.Select(Wrap)];
        }
#pragma warning restore MCPEXP002
    }

    // An application's own methods are experimental in the SDK; those that there are must know their tenant all the same.
#pragma warning disable MCPEXP002
    private McpServerRequestHandler Wrap(McpServerRequestHandler handler) =>
        new()
        {
            Method = handler.Method,
            RoutingNameParameter = handler.RoutingNameParameter,
            Handler = Filter(handler.Handler),
        };
#pragma warning restore MCPEXP002

    private McpRequestHandler<TParams, TResult> Filter<TParams, TResult>(McpRequestHandler<TParams, TResult> next) =>
        (request, cancellationToken) => RunAsync(request, () => next(request, cancellationToken));

    private static async ValueTask<CallToolResult> RunAsync(
        MethodTool tool,
        Call call,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var answer = await tool.InvokeAsync(call, request, cancellationToken);
        if (call.Work is { IsEmpty: false })
        {
            // What was written must be able to be answered.
            ToolAnswer.FromResult(answer).Settle();
        }

        await call.CommitAsync(answer.IsError is true);
        return answer;
    }

    // The SDK has read the arguments as it does; a tool of another kind reads them from bytes.
    private static async ValueTask<CallToolResult> RunAsync(
        TenantTool tool,
        Call call,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var arguments = request.Params.Arguments;
        var run = tool.Read(arguments is null ? [] : JsonSerializer.SerializeToUtf8Bytes(arguments, ArgumentsType));
        try
        {
            var answer = await run.RunAsync(call, cancellationToken);
            var result = answer.ToResult();
            await call.CommitAsync(answer.IsError);
            return result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException && run.Fail(exception, call) is { } failure)
        {
            if (exception is StoreUnavailableException)
            {
                // The client sees the status of the refusal, unless a part of the answer was sent before.
                RequestFlow.Current!.Reply.RefuseForStore();
            }

            return failure.ToResult();
        }
    }

    private async ValueTask<TResult> RunAsync<TResult>(MessageContext request, Func<ValueTask<TResult>> handler)
    {
        var call = Begin(tool: null);
        try
        {
            request.Services = call.Services;
            var answer = await handler();
            await call.CommitAsync();
            return answer;
        }
        catch (StoreUnavailableException)
        {
            RequestFlow.Current!.Reply.RefuseForStore();
            throw;
        }
        catch (CallRefusedException exception)
        {
            // What the SDK tells the client of.
            throw new McpException(exception.CallerMessage, exception);
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    private Call Begin(TenantTool? tool)
    {
        var flow = RequestFlow.Current ?? throw new InvalidOperationException("A tenant's handler was called outside a tenant's request.");
        var (call, refusal) = starter.TryBegin(flow.Tenant, flow.Caller, flow.User, tool);
        if (call is null)
        {
            flow.Reply.Refuse(refusal!);
            throw new McpException(refusal!.Detail);
        }

        return call;
    }
}
