using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Resolution;

/// <summary>Gives a request its tenant, or refuses it, for endpoints that ask for a tenant.</summary>
internal sealed class TenantMiddleware(
    RequestDelegate next,
    TenantRegistry registry,
    ITenantResolver resolver,
    AllowedHosts hosts,
    RefusedHosts refusedHosts,
    AllowedOrigins origins,
    McpRefusals refusals,
    UnreadBodies unread,
    NamingHint hint,
    MisplacedMessages misplaced,
    IKnownSessions sessions,
    IOptions<TenancyOptions> options,
    TenancyMetrics metrics,
    CountedRefusals refused,
    ILogger<TenantMiddleware> logger
)
{
    private readonly string? _defaultTenant = options.Value.DefaultTenant;
    private readonly Refusal _noTenant = hint.AddTo(Refusal.NoTenant);

    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<TenantEndpointMetadata>() is { } metadata ? ServeAsync(context, metadata)
        : MisplacedMessages.Fits(context) ? misplaced.ServeAsync(context, next)
        : next(context);

    private async Task ServeAsync(HttpContext context, TenantEndpointMetadata metadata)
    {
        await ServeTenantAsync(context, metadata);
        await unread.EndAsync(context);
    }

    private async Task ServeTenantAsync(HttpContext context, TenantEndpointMetadata metadata)
    {
        if (!metadata.IsMcp)
        {
            // At an application's own endpoints ASP.NET Core refuses, too: by its authorization, its routing, or its pages for exceptions.
            NoStore.MarkRefusal(context.Response);
        }

        if (!registry.IsLoaded)
        {
            await RefuseAsync(context, metadata, Refusal.NotLoaded);
            return;
        }

        if (!IsAllowedHost(context.Request.Headers))
        {
            refusedHosts.NoteForTenants(context.Request);
            await RefuseAsync(context, metadata, Refusal.ForeignHost);
            return;
        }

        var resolution = await resolver.ResolveAsync(context);
        var tenant = (resolution.TenantId ?? _defaultTenant) is { } id ? registry.Get(id) : null;
        if (Check(context, metadata, resolution, tenant) is { } refusal)
        {
            await RefuseAsync(context, metadata, refusal, tenant);
            return;
        }

        if (context.Request.Headers.Origin is [{ } origin])
        {
            CrossOrigin.Allow(context, origin);
        }

        if (CrossOrigin.IsPreflight(context.Request))
        {
            CrossOrigin.Answer(context, origins.Headers);
            return;
        }

        if (!tenant!.Platform!.TryHold())
        {
            // The tenant was changed between the look-up and now, and its platform was let go: a retry meets the new one.
            await RefuseAsync(context, metadata, Refusal.TenantUnavailable, tenant);
            return;
        }

        // There where somebody listens to the duration of HTTP requests.
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new("tenancy.tenant", metrics.SeriesOf(tenant.Id.Value)));
        var feature = new TenantFeature(tenant, resolution.Url, tenant.Platform);
        try
        {
            context.Features.Set<ITenantFeature>(feature);
            await next(context);
        }
        catch (StoreUnavailableException exception) when (!context.Response.HasStarted)
        {
            logger.StoreAway(exception, tenant.Id.Value);
            context.Response.Clear();
            await RefuseAsync(context, metadata, Refusal.StoreUnavailable, tenant);
        }
        catch (IssuerUnavailableException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await RefuseAsync(context, metadata, Refusal.IssuerUnavailable, tenant);
        }
        finally
        {
            await feature.LetGoAsync();
        }
    }

    private Task RefuseAsync(HttpContext context, TenantEndpointMetadata metadata, Refusal refusal, TenantModel? tenant = null)
    {
        if (context.Request.Headers.Origin is [{ } origin] && MayRead(origin, tenant))
        {
            // A page that may call the tenant may read why it cannot now. When the browser asks first, it has to be let through for that;
            // it also sends no header and no token by which the tenant could be known already.
            CrossOrigin.Allow(context, origin);
            if (CrossOrigin.IsPreflight(context.Request))
            {
                CrossOrigin.Answer(context, origins.Headers);
                return Task.CompletedTask;
            }
        }

        // A tenant that is suspended is unknown here, too.
        var known = tenant is { IsSuspended: false } ? tenant.Id.Value : null;
        refused.Count(context, refusal, known);
        return metadata.IsMcp ? refusals.WriteAsync(context, refusal) : refusal.WriteAsync(context);
    }

    // The URLs of a suspended tenant are nobody's: a page at one is told no more than a page anywhere.
    private bool MayRead(string origin, TenantModel? tenant) =>
        origins.ContainsForAll(origin) || (tenant is { IsSuspended: false } && origins.Contains(origin, tenant));

    private Refusal? Check(HttpContext context, TenantEndpointMetadata metadata, TenantResolution resolution, TenantModel? tenant)
    {
        if (resolution.Reason is { } reason)
        {
            return Refusal.Contradiction(reason);
        }

        if (tenant is null || tenant.IsSuspended)
        {
            // Who has a session knows that there is the tenant. To be told that there is none would end the session for its client.
            return tenant is not null && metadata.IsMcp && HasSession(context.Request, tenant) ? Refusal.TenantUnavailable
                : resolution.TenantId is null && _defaultTenant is null ? (metadata.IsMetadata ? Refusal.NoMetadata : _noTenant)
                : registry.IsComplete ? Refusal.UnknownTenant
                : Refusal.NotLoaded;
        }

        if (!tenant.IsServing)
        {
            return Refusal.TenantUnavailable;
        }

        var origin = context.Request.Headers.Origin;
        return origin.Count > 0 && !(origin.Count == 1 && origins.Contains(origin[0]!, tenant)) ? Refusal.ForeignOrigin : null;
    }

    private bool HasSession(HttpRequest request, TenantModel tenant) =>
        request.Headers[McpEndpoint.SessionIdHeader] is [{ Length: > 0 } id] && sessions.Knows(tenant.Id, id);

    // Read from the header: HttpRequest.Host decodes punycode, and throws on punycode that is malformed.
    private bool IsAllowedHost(IHeaderDictionary headers)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        return CanonicalHost.TryRead(headers.Host.ToString(), buffer, out var canonical) && hosts.Contains(canonical);
    }
}
