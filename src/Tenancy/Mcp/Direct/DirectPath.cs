using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Direct;

/// <summary>
/// Answers plain calls and lists of tenants' tools from the bytes of the message to the bytes of the answer: the arguments are read once,
/// the handler is run, the answer is written once. No server of the MCP SDK's has a part in it, and nothing is ambient: what a handler
/// knows of its call it is given.
/// </summary>
internal sealed class DirectPath(
    DirectConditions conditions,
    CallStarter starter,
    AnonymousAccess access,
    OpenSessions sessions,
    Heartbeats heartbeats,
    McpRefusals refusals,
    ILogger<DirectPath> logger
)
{
    /// <summary>Whether a request can be answered here.</summary>
    public bool Fits(McpRequest request) => conditions.Fit(request);

    /// <summary>Answers a request that fits, and consumes its body.</summary>
    /// <returns>Why it is refused, where it is; then nothing was written.</returns>
    public async ValueTask<Refusal?> ServeAsync(McpRequest request, RequestBody body)
    {
        var reply = new DirectReply(request, body.Bytes.Span[request.Head.Id].ToArray());
        var session = request.SessionId is { } sessionId ? sessions.Find(request.Tenant.Id, sessionId) : null;
        if (request.Tool is { } tool)
        {
            return await CallAsync(request, body, tool, session, reply);
        }

        using var operation = CallTelemetry.Begin(request, session);
        body.Consume();
        reply.WriteList(access);
        await reply.FlushAsync();
        return null;
    }

    private async ValueTask<Refusal?> CallAsync(
        McpRequest request,
        RequestBody body,
        TenantTool tool,
        OpenSession? session,
        DirectReply reply
    )
    {
        var requestId = session is null ? null : RequestIds.Read(body.Bytes.Span[request.Head.Id]);
        var run = Read(tool, request, out var mistake);
        if (run is null or { Answer.IsError: true } && RepeatedNames.AreIn(request.Body))
        {
            // A repeated name is refused as in every other message, and not as a mistake of the tool.
            return Refusal.AmbiguousJson;
        }

        using var operation = CallTelemetry.Begin(request, session);
        body.Consume();
        request.ReleaseBody();
        using var cancellation = session?.Begin(requestId!);
        try
        {
            if (run?.Answer is { } known)
            {
                reply.Write(known);
                operation?.Note(known);
            }
            else if (run is null)
            {
                WriteFailure(tool, mistake!, known: null, request, reply, operation);
            }
            else if (
                await RunAsync(tool, run, request, session, reply, operation, cancellation?.Token ?? request.Http.RequestAborted) is
                { } refusal
            )
            {
                request.ReadId(reply.Id);
                return refusal;
            }
        }
        finally
        {
            if (cancellation is not null)
            {
                session!.End(requestId!, cancellation);
            }
        }

        await reply.FlushAsync();
        return null;
    }

    // Arguments that cannot be read are answered in the same way as what a handler throws.
    private static ToolRun? Read(TenantTool tool, McpRequest request, out Exception? mistake)
    {
        mistake = null;
        try
        {
            var arguments = request.Head.Arguments;
            return tool.Read(MessageHead.IsEmpty(arguments) ? [] : request.Body.Span[arguments]);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            mistake = exception;
            return null;
        }
    }

    private async ValueTask<Refusal?> RunAsync(
        TenantTool tool,
        ToolRun run,
        McpRequest request,
        OpenSession? session,
        DirectReply reply,
        CallTelemetry? operation,
        CancellationToken cancellationToken
    )
    {
        var (call, refusal) = starter.TryBegin(
            request.Tenant,
            request.Caller,
            tool.NeedsUser ? request.User : null,
            tool,
            request.Version ?? session?.Version
        );
        if (call is null)
        {
            operation?.Note(ProtocolErrors.ToResult(tool.ProtocolTool.Name, new McpException(refusal!.Detail)));
            return refusal;
        }

        try
        {
            var answer = await AwaitAsync(run.RunAsync(call, cancellationToken), call, reply);

            // While the call's services are there: what a handler returns may still use them.
            reply.Write(answer);
            operation?.Note(answer);
            return null;
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            operation?.Fail(exception);
            reply.WriteNothing();
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            logger.StoreAway(exception, request.Tenant.Id.Value);
            operation?.Note(ProtocolErrors.ToResult(tool.ProtocolTool.Name, exception));
            if (!reply.HasBegun)
            {
                return Refusal.StoreUnavailable;
            }

            reply.Write(refusals.Describe(Refusal.StoreUnavailable));
            return null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            WriteFailure(tool, exception, run.Fail(exception, call), request, reply, operation);
            return null;
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    // What a handler answers at once takes no timer.
    private async ValueTask<ToolAnswer> AwaitAsync(ValueTask<ToolAnswer> running, Call call, DirectReply reply)
    {
        await using var awake = running.IsCompleted ? null : reply.KeepAwake(heartbeats);
        var answer = await running;
        if (call.Work is { IsEmpty: false })
        {
            // What was written must be able to be answered.
            answer = answer.Settle();
        }

        await call.CommitAsync(answer.IsError);
        return answer;
    }

    private void WriteFailure(
        TenantTool tool,
        Exception exception,
        ToolAnswer? known,
        McpRequest request,
        DirectReply reply,
        CallTelemetry? operation
    )
    {
        if (known is not null)
        {
            reply.Write(known);
            operation?.Note(known);
            return;
        }

        logger.ToolFailed(exception, tool.ProtocolTool.Name, request.Tenant.Id.Value);
        if (exception is McpProtocolException error)
        {
            operation?.Fail(error);
            reply.Write(ProtocolErrors.Describe(error));
            return;
        }

        var result = ProtocolErrors.ToResult(tool.ProtocolTool.Name, exception);
        operation?.Note(result);
        reply.Write(result);
    }
}
