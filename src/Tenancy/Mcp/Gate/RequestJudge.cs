using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>Says whether a request is refused: first by its head, before anything of its body is read, then by its message.</summary>
internal sealed class RequestJudge(RequestLimits limits, AnonymousAccess access)
{
    /// <summary>
    /// What the head alone says: bad credentials, too many requests, another's session. Nothing of the body was read yet.
    /// </summary>
    public async ValueTask<Refusal?> JudgeHeadAsync(McpRequest request)
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

    /// <summary>
    /// What the message says: something ambiguous, a tool that the caller may not call, a revision that is not spoken here.
    /// </summary>
    public async ValueTask<Refusal?> JudgeMessageAsync(McpRequest request)
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

    // Credentials that are not valid are refused everywhere, also where callers without any are let in.
    private static async Task<bool> HasBadCredentialsAsync(HttpContext http) =>
        http.Request.Headers.Authorization.Count > 0 || (await http.AuthenticateAsync()).Failure is not null;

    private static Refusal Explain(IFeatureCollection features) =>
        features.Get<TooManyFailedChecks>() is { } failures ? Refusal.TooManyRequests(RequestLimits.Seconds(failures.RetryAfter))
        : features.Get<UnlistedClient>() is not null ? Refusal.UnlistedClient
        : Refusal.BadCredentials;
}
