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
        var (request, refusal) = await AdmitAsync(context, feature);
        if (refusal is not null)
        {
            return await RefuseAsync(context, refusal, request?.Id);
        }

        if (request is null)
        {
            return await GetOrDeleteAsync(invocation, next, feature);
        }

        using var slot = calls.TryBegin(tenant);
        if (slot is null)
        {
            return await RefuseAsync(context, Refusal.TooManyCalls, request.Id);
        }

        context.Features.Set(slot);

        // Before the MCP SDK makes a session, which it could not be kept from afterwards.
        var begins = BeginsSession(context.Request, request);
        await using var place = begins ? await sessions.TryReserveAsync(context, tenant, feature.CallerOf(context.User)) : null;
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

    /// <summary>Checks a request's caller, message, limits and protocol version, in this order.</summary>
    /// <returns>The message of a POST, and why the request is refused, if it is.</returns>
    private async ValueTask<(McpRequest? Request, Refusal? Refusal)> AdmitAsync(HttpContext context, ITenantFeature feature)
    {
        var tenant = feature.Tenant;
        var caller = feature.CallerOf(context.User);
        if (caller.IsAnonymous && !ToolContextFactory.IsOpen(tenant) && await HasBadCredentialsAsync(context))
        {
            return (null, Explain(context.Features));
        }

        McpRequest? request = null;
        if (HttpMethods.IsPost(context.Request.Method))
        {
            (request, var bad) = await McpRequest.ReadAsync(context.Request, bodies);
            if (bad is not null)
            {
                return (null, bad);
            }
        }

        var tool = request is { Method: RequestMethods.ToolsCall } ? request.ToolName : null;
        if (!contexts.MayCall(tenant, caller, tool))
        {
            return (request, Refusal.NoCredentials);
        }

        var limit = await limits.AcquireAsync(context, tenant, caller);
        if (!limit.IsAllowed)
        {
            return (request, Refusal.TooManyRequests(RequestLimits.Seconds(limit.RetryAfter)));
        }

        if (limit.IsOwnSession is false)
        {
            return (request, Refusal.NoSession);
        }

        if (ToolScopes.Missing(tenant, context.User, tool) is { Count: > 0 } scopes)
        {
            return (request, caller.IsAnonymous ? Refusal.NoCredentials : Refusal.InsufficientScope(scopes));
        }

        return (request, request is null ? null : ProtocolVersions.Check(context.Request, request));
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

    private async ValueTask<object?> GetOrDeleteAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next, ITenantFeature feature)
    {
        var tenant = feature.Tenant;
        var caller = feature.CallerOf(invocation.HttpContext.User);
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
        else if (refusal.Scopes.Count > 0)
        {
            BearerChallenge.WriteInsufficientScope(context, refusal.Scopes);
        }

        await refusal.WriteAsync(context, isMcp: true, id);
        return Results.Empty;
    }
}
