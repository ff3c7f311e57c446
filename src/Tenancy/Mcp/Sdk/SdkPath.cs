using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sessions;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Has the MCP SDK answer a request. It gets the request as it was received, but for an <c>Accept</c> that is widened to what the SDK asks
/// for.
/// </summary>
/// <remarks>
/// A client before 2026-07-28 that has no session and begins none, as it does not without credentials, goes to a second endpoint of the
/// SDK: the first one, which keeps sessions, refuses it.
/// </remarks>
internal sealed class SdkPath(
    StatelessEndpoint stateless,
    StaleSessions stale,
    LogLevels levels,
    OpenSessions sessions,
    Heartbeats heartbeats,
    ILogger<SdkPath> logger
)
{
    /// <summary>Answers a request.</summary>
    /// <returns>Why it is refused, where it is; then nothing was written.</returns>
    public async ValueTask<Refusal?> ServeAsync(McpRequest request, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var response = request.Http.Response;
        using var reply = new SdkReply(request.Http, isJson: request.Reply == AcceptedReply.Json);
        var body = response.Body;
        response.Body = reply;
        try
        {
            if (request.Reply == AcceptedReply.Json)
            {
                request.Http.Request.Headers.Accept = AcceptedReplies.Both;
            }

            // The SDK would look for the encoding that a client names, and fail where it finds none, such as for one in quotes.
            request.Http.Request.ContentType = JsonBody.Json;

            if (!await stale.TryRenewAsync(request))
            {
                return Refusal.TenantChanged;
            }

            await levels.RestoreAsync(request);
            RequestFlow.Begin(
                request,
                reply,
                request.SessionId is { } session ? sessions.Enter(request.Tenant.Id, session).Ended : CancellationToken.None
            );
            await using var awake = request.Reply == AcceptedReply.Json ? null : heartbeats.Begin(reply.BeatAsync);
            await RunAsync(request, reply, invocation, next);
        }
        finally
        {
            response.Body = body;
        }

        if (reply.IsError && request.Tool is null && request.Head.IsCall)
        {
            // The SDK would log it as a failure of the server's, with a stack: anybody with a token could fill the log.
            logger.NoSuchTool(request.Tenant.Id.Value);
        }

        return await EndAsync(request, reply);
    }

    // A session that begins is one when its client was told so.
    private static async ValueTask<Refusal?> EndAsync(McpRequest request, SdkReply reply)
    {
        var response = request.Http.Response;
        var place = request.Http.Features.Get<SessionPlace>();
        var isAccepted = response.StatusCode == StatusCodes.Status200OK && reply is { IsAnswered: true, IsError: false };
        if (place is not null && !isAccepted && !response.HasStarted)
        {
            response.Headers.Remove(McpRequest.SessionIdHeader);
        }

        var refusal = await reply.EndAsync();
        if (place is not null)
        {
            place.IsAccepted = isAccepted && refusal is null;
        }

        return refusal;
    }

    // The SDK waits for the answer to a request, which a cancelled one never has: its wait is ended here.
    private async Task RunAsync(McpRequest request, SdkReply reply, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        using var cancellable = CancellableRequest.Begin(request, sessions);
        try
        {
            await (IsForStatelessEndpoint(request) ? stateless.InvokeAsync(request.Http) : ContinueAsync(invocation, next));
            await request.Http.Response.BodyWriter.FlushAsync(request.Http.RequestAborted);
        }
        catch (OperationCanceledException) when (cancellable is { IsCancelled: true })
        {
            reply.EndUnanswered();
        }
        catch (OperationCanceledException) when (!request.Http.RequestAborted.IsCancellationRequested)
        {
            // The SDK has let go of the session, as after a change of the tenant's platform, and with it of all that it ran for it.
            reply.Refuse(Refusal.TenantChanged);
        }
    }

    private static bool IsForStatelessEndpoint(McpRequest request) =>
        !request.HasSessionHeader && !request.IsModern && !request.BeginsSession;

    private static async Task ContinueAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        if (await next(invocation) is IResult result)
        {
            await result.ExecuteAsync(invocation.HttpContext);
        }
    }
}
