using System.Diagnostics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using Tenancy.Audit;
using Tenancy.Authentication;
using Tenancy.Configuration;
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
    RequestLimits limits,
    BodyReader bodies,
    AnonymousAccess access,
    SessionGuard sessions,
    SessionStreams streams,
    Deliveries deliveries,
    DirectPath direct,
    SdkPath sdk,
    BearerChallenge challenge,
    McpRefusals refusals,
    CountedRefusals refused,
    ILogger<McpGate> logger
) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var request = new McpRequest(invocation.HttpContext);
        using var scope = RequestLogScope.Begin(logger, request);
        using var activity = Trace(request);
        var refusal = await JudgeHeadAsync(request)
            ?? await (
                HttpMethods.IsPost(request.Http.Request.Method)
                    ? PostAsync(request, invocation, next)
                    : GetOrDeleteAsync(request, invocation, next)
            );
        if (refusal is not null)
        {
            activity?.SetTag("tenancy.refusal", refusal.Name);
            refused.Count(request.Http, refusal, request.Tenant.Id.Value);
            await RefuseAsync(request, refusal);
        }

        return Results.Empty;
    }

    // What the gate admits runs within it, as an activity of its own.
    private static Activity? Trace(McpRequest request) =>
        TenancyTelemetry.Source.HasListeners()
            ? TenancyTelemetry.Source.StartActivity("gate")?.SetTag("tenancy.tenant", request.Tenant.Id.Value)
            : null;

    /// <summary>
    /// What the head alone says: bad credentials, too many requests, another's session. Nothing of the body was read yet.
    /// </summary>
    private async ValueTask<Refusal?> JudgeHeadAsync(McpRequest request)
    {
        if (request.IsStranger && await HasBadCredentialsAsync(request.Http))
        {
            return Explain(request.Http.Features);
        }

        if (JudgeForm(request) is { } refusal)
        {
            return refusal;
        }

        var limit = await limits.AcquireAsync(request);
        request.IsForeignSession = limit.IsOwnSession is false;
        return !limit.IsAllowed ? await JudgeBeyondAsync(request, Refusal.TooManyRequests(RequestLimits.Seconds(limit.RetryAfter)))
            : limit.IsOwnSession is false && !request.IsStranger ? Refusal.NoSession
            : HttpMethods.IsPost(request.Http.Request.Method) || !request.IsStranger ? null
            : Refusal.NoCredentials;
    }

    // A call that has spent the limit may wait for its user's answer, or be cancelled: that must come through.
    private async ValueTask<Refusal?> JudgeBeyondAsync(McpRequest request, Refusal refusal)
    {
        request.BeyondLimit = refusal;
        return await limits.MayReadBeyondAsync(request) ? null : refusal;
    }

    /// <summary>What HTTP alone says, whoever asks: nothing is counted for it, as nothing is done.</summary>
    private Refusal? JudgeForm(McpRequest request)
    {
        var http = request.Http.Request;
        if (HttpMethods.IsPost(http.Method))
        {
            return !JsonBody.Is(http) ? Refusal.UnsupportedContent
                : request.Reply == AcceptedReply.Unclear ? Refusal.NotAcceptable
                : null;
        }

        if (!access.MayConnect(request.Tenant, request.Caller))
        {
            return null;
        }

        return !request.HasSessionHeader || request.IsModern ? Refusal.NoStream
            : HttpMethods.IsGet(http.Method) && !AcceptedReplies.AcceptsEventStream(http) ? Refusal.NotAStreamReader
            : ProtocolVersions.Check(request);
    }

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
                : await JudgeMessageAsync(request) ?? await ServeAsync(request, body, invocation, next);
            if (refusal is not null)
            {
                // The answer repeats the id, and is written when the bytes of the body are somebody else's again.
                request.ReadId();
            }

            request.ReleaseBody();
            return refusal;
        }
    }

    /// <summary>
    /// What the message says: something ambiguous, a tool that the caller may not call, a revision that is not spoken here.
    /// </summary>
    private async ValueTask<Refusal?> JudgeMessageAsync(McpRequest request)
    {
        if (Malformed(request) is { } malformed)
        {
            return malformed;
        }

        if (!MayUse(request))
        {
            // A client that has no token yet begins a connection to be told where to get one. That must not cost it its calls.
            return request.IsHandshake && await SettleLimitAsync(request) is { } spent ? spent : Refusal.NoCredentials;
        }

        // Who shows no credentials is told first that they are missing, where that is so: there is no session without them.
        if (request.IsForeignSession)
        {
            return Refusal.NoSession;
        }

        if (await SettleLimitAsync(request) is { } refusal)
        {
            return refusal;
        }

        if (
            request.Tool is { RequiredScopes.Count: > 0 } tool
            && ToolScopes.Missing(request.Tenant, request.User, tool) is { Count: > 0 } scopes
        )
        {
            return request.Caller.IsAnonymous ? Refusal.NoCredentials : Refusal.InsufficientScope(scopes);
        }

        return ProtocolVersions.Check(request) ?? await CountToolAsync(request);
    }

    // Last, so that only calls count that this caller may make: nobody spends a tool's limit without its scope.
    private async ValueTask<Refusal?> CountToolAsync(McpRequest request) =>
        await limits.AcquireToolAsync(request) is { IsAllowed: false } limit
            ? Refusal.TooManyRequests(RequestLimits.Seconds(limit.RetryAfter))
            : null;

    // The request was counted before anybody knew what it is. What runs nothing costs nothing, and a connection begins out of another
    // budget.
    private async ValueTask<Refusal?> SettleLimitAsync(McpRequest request)
    {
        if (request.BeyondLimit is { } beyond)
        {
            if (!request.RunsNothing)
            {
                return beyond;
            }

            RequestLimits.RemoveHeaders(request.Http.Response);
            return null;
        }

        // To read a large message costs as much as a call, whatever it is: it stays counted.
        if (request.RunsNothing && !request.IsStranger && request.Body.Length <= BodyBudgets.Free)
        {
            await limits.GiveBackAsync(request);
            return null;
        }

        if (!request.IsHandshake && !(request.IsStranger && request.IsPreliminary))
        {
            return null;
        }

        var handshake = await limits.ExchangeForHandshakeAsync(request);
        return handshake.IsAllowed ? null : Refusal.TooManyRequests(RequestLimits.Seconds(handshake.RetryAfter));
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

    // Who shows no credentials may call some tools and, where it finds them no other way, connect and ask for their list.
    private bool MayUse(McpRequest request) =>
        access.MayCall(request.Tenant, request.Caller, request.ToolName())
        || (
            (request.IsPreliminary || request.Head.Method is RequestMethods.ToolsList) && access.MayConnect(request.Tenant, request.Caller)
        );

    private static Refusal? Malformed(McpRequest request) =>
        request.Head.IsAmbiguous ? Refusal.AmbiguousJson
        : request.Head.Mistake is { } mistake ? Refusal.BadMessage(mistake)
        : request.Head.HasOddParameters ? Refusal.BadParameters("The parameters must be a JSON object.")
        : null;

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

    // Credentials that are not valid are refused everywhere, also where callers without any are let in.
    private static async Task<bool> HasBadCredentialsAsync(HttpContext http) =>
        http.Request.Headers.Authorization.Count > 0 || (await http.AuthenticateAsync()).Failure is not null;

    private static Refusal Explain(IFeatureCollection features) =>
        features.Get<TooManyFailedChecks>() is { } failures ? Refusal.TooManyRequests(RequestLimits.Seconds(failures.RetryAfter))
        : features.Get<UnlistedClient>() is not null ? Refusal.UnlistedClient
        : Refusal.BadCredentials;

    private async ValueTask RefuseAsync(McpRequest request, Refusal refusal)
    {
        if (refusal.StatusCode == StatusCodes.Status401Unauthorized)
        {
            await request.Http.ChallengeAsync();
        }
        else if (
            refusal.Scopes.Count > 0
            && request.Tenant.Config.Authentication?.Kind is TenantAuthenticationKind.Bearer or TenantAuthenticationKind.Jwks
        )
        {
            challenge.WriteInsufficientScope(request.Http, CallerScopes.All(request.User), refusal.Scopes);
        }

        await refusals.WriteAsync(request.Http, refusal, request.ReadId());
    }
}
