using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Has the MCP SDK answer a request. It gets the request as it was received, but for an <c>Accept</c> that is widened to what the SDK asks
/// for.
/// </summary>
/// <remarks>
/// A client before 2026-07-28 that has no session and begins none goes to a second endpoint of the SDK, as the first one, which keeps
/// sessions, refuses it.
/// </remarks>
internal sealed class SdkPath(StatelessEndpoint stateless)
{
    /// <summary>Answers a request.</summary>
    /// <returns>Why it is refused, where it is; then nothing was written.</returns>
    public async ValueTask<Refusal?> ServeAsync(McpRequest request, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var response = request.Http.Response;
        using var reply = new SdkReply(request.Http, isJson: request.Reply == AcceptedReply.Json);
        var body = response.Body;
        response.Body = reply;
        if (request.Reply == AcceptedReply.Json)
        {
            request.Http.Request.Headers.Accept = AcceptedReplies.Both;
        }

        RequestFlow.Begin(request, reply);
        try
        {
            await (IsForStatelessEndpoint(request) ? stateless.InvokeAsync(request.Http) : ContinueAsync(invocation, next));
            await response.BodyWriter.FlushAsync(request.Http.RequestAborted);
        }
        finally
        {
            response.Body = body;
        }

        return await reply.EndAsync();
    }

    private static bool IsForStatelessEndpoint(McpRequest request) =>
        !request.HasSessionHeader
        && !request.IsModern
        && request.HasKnownVersion
        && request.Head.Method is not ModelContextProtocol.Protocol.RequestMethods.Initialize
        && !(request.Version is null && request.Head.DeclaresVersion);

    private static async Task ContinueAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        if (await next(invocation) is IResult result)
        {
            await result.ExecuteAsync(invocation.HttpContext);
        }
    }
}
