using System.Diagnostics;
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
    ClaimedCalls running,
    McpRefusals refusals,
    TimeProvider time,
    ILogger<DirectPath> logger
)
{
    private static readonly TimeSpan CancelledWait = TimeSpan.FromMilliseconds(500);

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

        var (began, outcome) = (Stopwatch.GetTimestamp(), default(string));
        using var operation = CallTelemetry.Begin(request, session);
        body.Consume();
        request.ReleaseBody();
        using var cancellation = session?.Begin(requestId!);
        try
        {
            if (run?.Answer is { } known)
            {
                if (known.IsError)
                {
                    logger.ToolRefusedCall(tool.ProtocolTool.Name, request.Tenant.Id.Value);
                }

                outcome = known.IsError ? CallOutcome.Error : CallOutcome.Ok;
                reply.Write(known);
                operation?.Note(known);
            }
            else if (run is null)
            {
                outcome = CallOutcome.Of(mistake!);
                WriteFailure(tool, mistake!, known: null, call: null, request, reply, operation);
            }
            else if (
                await RunAsync(tool, run, request, reply, operation, cancellation?.Token ?? request.Http.RequestAborted) is { } refusal
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
        if (outcome is not null)
        {
            starter.CountAnswered(request.Tenant, tool, outcome, began, request.BodyBytes + reply.AnswerBytes);
        }

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
            request.IsModern
        );
        if (call is null)
        {
            operation?.Note(ProtocolErrors.ToResult(tool.ProtocolTool.Name, new McpException(refusal!.Detail)));
            return refusal;
        }

        call.CountBytes(request.BodyBytes);
        Task<ToolAnswer>? later = null;
        try
        {
            ToolAnswer answer;

            // Who holds the thread until there is an answer leaves nobody to begin this later.
            await using (var awake = tool.IsSynchronous ? reply.KeepAwake(heartbeats) : null)
            {
                var begun = RunAsync(run, call, reply, cancellationToken);
                answer = begun.IsCompleted
                    ? await begun
                    : await AwaitAsync(later = begun.AsTask(), awake is null, reply, cancellationToken);
            }

            // While the call's services are there: what a handler returns may still use them.
            reply.Write(answer);
            if (answer.IsError)
            {
                call.Note(CallOutcome.Error);
                logger.ToolRefusedCall(tool.ProtocolTool.Name, request.Tenant.Id.Value);
            }

            operation?.Note(answer);
            return null;
        }
        catch (OperationCanceledException exception) when (CallOutcome.IsCancelled(exception, cancellationToken))
        {
            call.Note(CallOutcome.Cancelled);
            operation?.Fail(exception);
            reply.WriteNothing();
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            call.Note(CallOutcome.Unavailable);
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
            call.Note(CallOutcome.Of(exception, run.IsCallersMistake(exception)));
            WriteFailure(tool, exception, run.Fail(exception, call), call, request, reply, operation);
            return null;
        }
        finally
        {
            call.CountBytes(reply.AnswerBytes);
            if (later is null or { IsCompleted: true })
            {
                await call.ReleaseAsync();
            }
            else
            {
                // A server that stops waits for it.
                _ = running.RunAsync(() => ReleaseLaterAsync(later, run, call, cancellationToken));
            }
        }
    }

    private static async ValueTask<ToolAnswer> RunAsync(ToolRun run, Call call, DirectReply reply, CancellationToken cancellationToken)
    {
        var answer = await run.RunAsync(call, cancellationToken);
        if (call.Work is { IsEmpty: false })
        {
            // What was written must be able to be answered.
            answer = reply.Settle(answer);
        }

        await call.CommitAsync(answer.IsError);
        return answer;
    }

    // A handler that may be awaited and answers at once takes no timer. A cancelled request ends, whatever its handler does: but not before
    // one that ends when it is told so has done it.
    private async Task<ToolAnswer> AwaitAsync(
        Task<ToolAnswer> running,
        bool isSilent,
        DirectReply reply,
        CancellationToken cancellationToken
    )
    {
        await using var awake = isSilent ? reply.KeepAwake(heartbeats) : null;
        try
        {
            return await running.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !running.IsCompleted)
        {
            await ((Task)running)
                .WaitAsync(CancelledWait, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return running.IsCompleted ? await running : throw new OperationCanceledException(cancellationToken);
        }
    }

    // A call holds its place until its handler ends, and is counted as what it came to: nobody is answered, but what it wrote may stand.
    private async Task<bool> ReleaseLaterAsync(Task<ToolAnswer> later, ToolRun run, Call call, CancellationToken cancellationToken)
    {
        try
        {
            call.Note((await later).IsError ? CallOutcome.Error : CallOutcome.Ok);
            return true;
        }
        catch (OperationCanceledException exception) when (CallOutcome.IsCancelled(exception, cancellationToken))
        {
            // It was told to end, as is noted already.
            return false;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            call.Note(CallOutcome.Of(exception, run.IsCallersMistake(exception)));
            if (run.Fail(exception, call) is null)
            {
                call.LogFailure(logger, exception);
            }

            return false;
        }
        finally
        {
            await call.ReleaseAsync();
        }
    }

    private void WriteFailure(
        TenantTool tool,
        Exception exception,
        ToolAnswer? known,
        Call? call,
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

        // Before there is a call, its arguments could not be read.
        var reference = call?.LogFailure(logger, exception);
        if (call is null)
        {
            logger.ToolRefusedCall(tool.ProtocolTool.Name, request.Tenant.Id.Value);
        }

        if (exception is McpProtocolException error)
        {
            operation?.Fail(error);
            reply.Write(ProtocolErrors.Describe(error));
            return;
        }

        var result = ProtocolErrors.ToResult(tool.ProtocolTool.Name, exception, reference);
        operation?.Note(result);
        reply.Write(result);
    }
}
