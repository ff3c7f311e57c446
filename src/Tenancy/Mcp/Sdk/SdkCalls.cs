using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Makes each handler that the MCP SDK runs a call of the request's tenant and caller: tools, prompts, resources, and an application's own
/// methods.
/// </summary>
internal sealed class SdkCalls(CallStarter starter, ILogger<SdkCalls> logger) : IToolCalls, IPostConfigureOptions<McpServerOptions>
{
    /// <summary>What the SDK logs failed calls to.</summary>
    public const string SdkCategory = "ModelContextProtocol.Server.McpServer";

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
            var result = tool is MethodTool method
                ? await RunAsync(method, call, request, ends.Token)
                : await RunAsync(tool, call, request, ends.Token);
            if (result.IsError is true && call.Outcome == CallOutcome.Ok)
            {
                call.Note(CallOutcome.Error);
            }

            return result;
        }
        catch (OperationCanceledException exception) when (CallOutcome.IsCancelled(exception, ends.Token))
        {
            call.Note(CallOutcome.Cancelled);
            throw;
        }
        catch (StoreUnavailableException exception)
        {
            call.Note(CallOutcome.Unavailable);
            logger.StoreAway(exception, call.Tenant.Id.Value);
            RequestFlow.Current!.Reply.RefuseForStore();
            throw;
        }
        // By an InputRequiredException a handler asks its client for something, which is no failure.
        catch (Exception exception) when (exception is not (OutOfMemoryException or InputRequiredException))
        {
            call.Note(CallOutcome.Of(exception));
            var reference = call.LogFailure(logger, exception);
            if (exception is McpException)
            {
                throw;
            }

            // In the SDK's own words, which know nothing of a reference.
            return new()
            {
                IsError = true,
                Content = [new TextContentBlock { Text = FailureText.Of(tool.ProtocolTool.Name, exception, reference) }],
            };
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    public void PostConfigure(string? name, McpServerOptions options)
    {
        var filters = options.Filters.Request;
        filters.GetPromptFilters.Add(Filter);

        // Within the call, which would log a caller's mistake as a failure of the server's.
        filters.GetPromptFilters.Add(PromptArguments.Filter);
        filters.ReadResourceFilters.Add(Filter);
        filters.ReadResourceFilters.Add(ResourceVariables.Filter);
        AddUnlessAlone(options, static all => all.ListPromptsHandler, static all => all.ListPromptsFilters);
        AddUnlessAlone(options, static all => all.ListResourcesHandler, static all => all.ListResourcesFilters);
        AddUnlessAlone(options, static all => all.ListResourceTemplatesHandler, static all => all.ListResourceTemplatesFilters);
        AddUnlessAlone(
            options,
            static all => all.SubscribeToResourcesHandler,
            static all => all.SubscribeToResourcesFilters,
            refused: RequestMethods.ResourcesSubscribe
        );
        AddUnlessAlone(
            options,
            static all => all.UnsubscribeFromResourcesHandler,
            static all => all.UnsubscribeFromResourcesFilters,
            refused: RequestMethods.ResourcesUnsubscribe
        );
        AddUnlessAlone(options, static all => all.CompleteHandler, static all => all.CompleteFilters);
#pragma warning disable MCPEXP002 // See Wrap.
        if (options.RequestHandlers is { } methods)
        {
            // No filter stands before an application's own methods, so that each is wrapped.
            options.RequestHandlers = [.. methods.Select(Wrap)];
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
        (request, cancellationToken) => RunAsync(request, () => next(request, cancellationToken), cancellationToken);

    // What the SDK answers by itself runs no handler, and takes no place among the calls. An application may give a handler to one session
    // alone, so that each request asks the options of its own server; filters count as far as they are there before this one, because the
    // SDK adds some of its own later. A method is refused where the SDK would answer "{}" although there is nobody to do it: its client
    // would wait for ever for what it subscribed to. See findings/mcp-csharp-sdk-subscribe.sh.
    private void AddUnlessAlone<TParams, TResult>(
        McpServerOptions options,
        Func<McpServerHandlers, McpRequestHandler<TParams, TResult>?> handler,
        Func<McpRequestFilters, IList<McpRequestFilter<TParams, TResult>>> filters,
        string? refused = null
    )
    {
        var all = filters(options.Filters.Request);
        var isFiltered = all.Count > 0;
        all.Add(next =>
            (request, cancellationToken) =>
                isFiltered || handler(request.Server.ServerOptions.Handlers) is not null
                    ? RunAsync(request, () => next(request, cancellationToken), cancellationToken)
                : request.Params is PaginatedRequestParams { Cursor: not null } ? throw ToolListFilter.NoSuchPage()
                : refused is null ? next(request, cancellationToken)
                : throw new McpProtocolException($"Method '{refused}' is not available.", McpErrorCode.MethodNotFound)
        );
    }

    private async ValueTask<CallToolResult> RunAsync(
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
            ToolAnswer.FromResult(answer).ThrowIfTooLarge();
        }

        call.CountBytes(ToolAnswer.Measure(answer));
        await call.CommitAsync(answer.IsError is true);
        LogRefusal(call, answer.IsError is true);
        return answer;
    }

    // The SDK has read the arguments as it does; a tool of another kind reads them from bytes.
    private async ValueTask<CallToolResult> RunAsync(
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
            var result = answer.ToResult(out var bytes);
            call.CountBytes(bytes);
            await call.CommitAsync(answer.IsError);
            LogRefusal(call, answer.IsError);
            return result;
        }
        catch (Exception exception)
            when (!(exception is OperationCanceledException ended && CallOutcome.IsCancelled(ended, cancellationToken))
                && run.Fail(exception, call) is { } failure
            )
        {
            call.Note(CallOutcome.Of(exception, run.IsCallersMistake(exception)));
            if (exception is StoreUnavailableException)
            {
                // The client sees the status of the refusal, unless a part of the answer was sent before.
                RequestFlow.Current!.Reply.RefuseForStore();
            }

            var result = failure.ToResult(out var bytes);
            call.CountBytes(bytes);
            return result;
        }
    }

    private async ValueTask<TResult> RunAsync<TResult>(
        MessageContext request,
        Func<ValueTask<TResult>> handler,
        CancellationToken cancellationToken
    )
    {
        var call = Begin(tool: null);
        try
        {
            request.Services = call.Services;
            var answer = await handler();
            await call.CommitAsync();
            return answer;
        }
        catch (OperationCanceledException exception) when (CallOutcome.IsCancelled(exception, cancellationToken))
        {
            call.Note(CallOutcome.Cancelled);
            throw;
        }
        catch (StoreUnavailableException exception)
        {
            call.Note(CallOutcome.Unavailable);
            logger.StoreAway(exception, call.Tenant.Id.Value);
            RequestFlow.Current!.Reply.RefuseForStore();
            throw;
        }
        catch (CallRefusedException exception)
        {
            call.Note(CallOutcome.Error);

            // What the SDK tells the client of.
            throw new McpException(exception.CallerMessage, exception);
        }
        // By an InputRequiredException a handler asks its client for something, which is no failure.
        catch (Exception exception) when (exception is not (OutOfMemoryException or InputRequiredException))
        {
            call.Note(CallOutcome.Of(exception));
            if (exception is McpException)
            {
                throw;
            }

            logger.HandlerFailed(exception, call.Tenant.Id.Value, (request.JsonRpcMessage as JsonRpcRequest)?.Method, call.Reference);
            throw new McpProtocolException($"An error occurred. Reference: {call.Reference}", exception, McpErrorCode.InternalError);
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    private void LogRefusal(Call call, bool isError)
    {
        if (isError)
        {
            logger.ToolRefusedCall(call.Tool!.ProtocolTool.Name, call.Tenant.Id.Value);
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

        call.CountBytes(flow.RequestBytes);
        return call;
    }
}
