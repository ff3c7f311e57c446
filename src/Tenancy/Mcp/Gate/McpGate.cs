using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Direct;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sdk;
using Tenancy.Mcp.Sessions;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// Stands before every MCP endpoint. It refuses in the order of what a refusal costs: by the head of the request, by the rate limits, by
/// the size of the body, and only then by what the body says. What it admits goes one of two ways: directly to the handler, or to the MCP
/// SDK.
/// </summary>
internal sealed class McpGate(
    RequestJudge judge,
    BodyReader bodies,
    SessionGuard sessions,
    SessionStreams streams,
    Deliveries deliveries,
    DirectPath direct,
    SdkPath sdk,
    GateRefusals refusals,
    ILogger<McpGate> logger
) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var request = new McpRequest(invocation.HttpContext);
        using var scope = RequestLogScope.Begin(logger, request);
        using var activity = Trace(request);
        var refusal = await judge.JudgeHeadAsync(request)
            ?? await (
                HttpMethods.IsPost(request.Http.Request.Method)
                    ? PostAsync(request, invocation, next)
                    : GetOrDeleteAsync(request, invocation, next)
            );
        if (refusal is not null)
        {
            activity?.SetTag("tenancy.refusal", refusal.Name);
            await refusals.WriteAsync(request, refusal);
        }

        return Results.Empty;
    }

    // What the gate admits runs within it, as an activity of its own.
    private static Activity? Trace(McpRequest request) =>
        TenancyTelemetry.Source.HasListeners()
            ? TenancyTelemetry.Source.StartActivity("gate")?.SetTag("tenancy.tenant", request.Tenant.Id.Value)
            : null;

    private async ValueTask<Refusal?> PostAsync(McpRequest request, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var (body, refusal) = await bodies.ReadAsync(request, isSmall: request.IsStranger || request.BeyondLimit is not null);
        if (body is null)
        {
            return refusal;
        }

        using (body)
        {
            refusal = !request.TryRead(body.Bytes)
                ? Refusal.BadJson
                : await judge.JudgeMessageAsync(request) ?? await ServeAsync(request, body, invocation, next);
            if (refusal is not null)
            {
                // The answer repeats the id, and is written when the bytes of the body are somebody else's again.
                request.ReadId();
            }

            request.ReleaseBody();
            return refusal;
        }
    }

    private async ValueTask<Refusal?> ServeAsync(
        McpRequest request,
        RequestBody body,
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        if (!await sessions.UseAsync(request))
        {
            return Refusal.NoSession;
        }

        if (direct.Fits(request))
        {
            return await direct.ServeAsync(request, body);
        }

        if (RepeatedNames.AreIn(body.Bytes))
        {
            return Refusal.AmbiguousJson;
        }

        if (Unreadable(request) is { } unreadable)
        {
            return unreadable;
        }

        if (await deliveries.DeliverAsync(request) is { IsHere: false } delivery)
        {
            request.Http.Response.StatusCode = StatusCodes.Status202Accepted;
            return delivery.Refusal;
        }

        // Before the MCP SDK makes a session, which it could not be kept from afterwards.
        await using var place = request.BeginsSession ? await sessions.TryReserveAsync(request) : null;
        if (request.BeginsSession && place is null)
        {
            return Refusal.TooManySessions;
        }

        request.ReadId();
        request.KeepRequestId();
        request.ReleaseBody();
        body.GiveBack();
        return await sdk.ServeAsync(request, invocation, next);
    }

    private async ValueTask<Refusal?> GetOrDeleteAsync(
        McpRequest request,
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        if (HttpMethods.IsGet(request.Http.Request.Method) && SessionStreams.Fits(request))
        {
            await streams.RunAsync(request);
            return null;
        }

        if (!HttpMethods.IsDelete(request.Http.Request.Method))
        {
            await next(invocation);
            return null;
        }

        // First the calls, so that each knows why it ends when the SDK takes its session away from it.
        sessions.Cancel(request);
        await next(invocation);
        await sessions.ForgetAsync(request);
        return null;
    }

    // The MCP SDK finds it out late: a session is there by then, or the answer says that the server failed.
    private static Refusal? Unreadable(McpRequest request)
    {
        var body = request.Body.Span;
        if (request.Head.Method is not { } method)
        {
            return MessageParameters.IsAnswer(body) ? null : Refusal.BadMessage("its result or error cannot be read");
        }

        return MessageParameters.AreReadable(method, body[request.Head.Parameters], request.IsModern) ? null
            : method is RequestMethods.Initialize ? Refusal.BadInitialize
            : Refusal.BadParameters($"The parameters of {method} cannot be read.");
    }
}
