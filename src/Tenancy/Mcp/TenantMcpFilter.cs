using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>The one seam in front of the MCP SDK: the gate for callers without credentials, the session guard, messages without a session, and plain JSON.</summary>
internal sealed class TenantMcpFilter(SessionGuard sessions, SessionStreams streams, RequestLimits limits, ConcurrentCalls calls, StatelessMessages stateless, ToolContextFactory contexts, BodyLimits bodies) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var feature = context.Features.GetRequiredFeature<ITenantFeature>();
        var tenant = feature.Tenant;
        var caller = feature.CallerOf(context.User);
        if (caller.IsAnonymous && !ToolContextFactory.IsOpen(tenant) && await HasBadCredentialsAsync(context))
        {
            return await RefuseAsync(context, Explain(context.Features), null);
        }

        McpRequest? request = null;
        if (HttpMethods.IsPost(context.Request.Method))
        {
            (request, var refusal) = await McpRequest.ReadAsync(context.Request, bodies);
            if (refusal is not null)
            {
                return await RefuseAsync(context, refusal, null);
            }
        }

        if (!contexts.MayCall(tenant, caller, request is { Method: RequestMethods.ToolsCall } ? request.ToolName : null))
        {
            return await RefuseAsync(context, Refusal.NoCredentials, request?.Id);
        }

        var limit = await limits.AcquireAsync(context, tenant, caller);
        if (!limit.IsAllowed)
        {
            return await RefuseAsync(context, Refusal.TooManyRequests(RequestLimits.Seconds(limit.RetryAfter)), request?.Id);
        }

        if (limit.IsOwnSession is false)
        {
            return await RefuseAsync(context, Refusal.NoSession, request?.Id);
        }

        if (request is { Method: RequestMethods.ToolsCall } && ToolScopes.Missing(tenant, context.User, request.ToolName).ToArray() is { Length: > 0 } scopes)
        {
            if (caller.IsAnonymous)
            {
                return await RefuseAsync(context, Refusal.NoCredentials, request.Id);
            }

            // Before the MCP SDK, which has sent its headers when a tool is called.
            BearerChallenge.WriteInsufficientScope(context, scopes);
            await Refusal.InsufficientScope(scopes).WriteAsync(context, isMcp: true, request.Id);
            return Results.Empty;
        }

        if (request is null)
        {
            return await GetOrDeleteAsync(invocation, next, tenant, caller);
        }

        if (ProtocolVersions.Check(context.Request, request) is { } version)
        {
            return await RefuseAsync(context, version, request.Id);
        }

        using var call = calls.TryBegin(tenant);
        if (call is null)
        {
            return await RefuseAsync(context, Refusal.TooManyCalls, request.Id);
        }

        // Before the MCP SDK makes a session, which it could not be kept from afterwards.
        var begins = BeginsSession(context.Request, request);
        await using var place = begins ? await sessions.TryReserveAsync(context, tenant, caller) : null;
        if (begins && place is null)
        {
            return await RefuseAsync(context, Refusal.TooManySessions, request.Id);
        }

        using var reply = new HeldReply(context);
        var isServed = await stateless.TryServeAsync(context, tenant, request, reply) || await stateless.TryServeAloneAsync(context, tenant, request, reply);
        var result = isServed ? Results.Empty : await reply.RunAsync(invocation, next);
        await reply.EndAsync(request);
        return result;
    }

    // What was shown and is not valid opens nothing, not even what needs nothing.
    private static async Task<bool> HasBadCredentialsAsync(HttpContext context) =>
        context.Request.Headers.Authorization.Count > 0 || (await context.AuthenticateAsync()).Failure is not null;

    private static Refusal Explain(IFeatureCollection features) =>
        features.Get<TooManyFailedChecks>() is { } failures ? Refusal.TooManyRequests(RequestLimits.Seconds(failures.RetryAfter))
        : features.Get<UnlistedClient>() is not null ? Refusal.UnlistedClient
        : Refusal.BadCredentials;

    private static bool BeginsSession(HttpRequest http, McpRequest request) =>
        request is { Method: RequestMethods.Initialize, DeclaresVersion: false } && !http.Headers.ContainsKey(SessionGuard.HeaderName);

    private async ValueTask<object?> GetOrDeleteAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next, TenantModel tenant, CallerIdentity caller)
    {
        if (HttpMethods.IsGet(invocation.HttpContext.Request.Method))
        {
            return await streams.RunAsync(invocation.HttpContext, tenant, caller, () => next(invocation));
        }

        var result = await next(invocation);
        if (HttpMethods.IsDelete(invocation.HttpContext.Request.Method))
        {
            await sessions.ForgetAsync(invocation.HttpContext.Request, tenant, caller);
        }

        return result;
    }

    private static async ValueTask<object?> RefuseAsync(HttpContext context, Refusal refusal, System.Text.Json.Nodes.JsonNode? id)
    {
        if (refusal.StatusCode == StatusCodes.Status401Unauthorized)
        {
            await context.ChallengeAsync();
        }

        await refusal.WriteAsync(context, isMcp: true, id);
        return Results.Empty;
    }
}
