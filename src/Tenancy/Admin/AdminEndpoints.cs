using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The admin API: tenants come and go through it while the server runs.</summary>
internal static class AdminEndpoints
{
    /// <summary>Where the tenants are.</summary>
    public const string Tenants = "/admin/tenants";

    /// <summary>Where what happens can be followed.</summary>
    public const string Events = "/admin/events";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static void Map(RouteGroupBuilder group)
    {
        group.AddEndpointFilter(AdminProblems.ExplainAsync);
        MapTenants(new AdminRoutes(Tenants, group.MapGroup("tenants")));
        var nodes = new AdminRoutes("/admin/nodes", group.MapGroup("nodes"));
        NodeEndpoints.Map(nodes);
        nodes.Close();
        var audit = new AdminRoutes("/admin/audit", group.MapGroup("audit"));
        AuditEndpoints.MapAll(audit);
        audit.Close();
        var usage = new AdminRoutes("/admin/usage", group.MapGroup("usage"));
        UsageEndpoints.MapAll(usage);
        usage.Close();
        var refusals = new AdminRoutes("/admin/refusals", group.MapGroup("refusals"));
        AuditEndpoints.MapAllRefusals(refusals);
        refusals.Close();
        var summary = new AdminRoutes("/admin/summary", group.MapGroup("summary"));
        summary.Map(HttpMethods.Get, "", Summarize);
        summary.Close();
        var deletions = new AdminRoutes("/admin/deletions", group.MapGroup("deletions"));
        deletions.Map(HttpMethods.Get, "", ListDeletionsAsync);
        deletions.Close();
        var events = new AdminRoutes(Events, group.MapGroup("events"));
        EventEndpoints.Map(events);
        events.Close();
        var description = new AdminRoutes("/admin/openapi.json", group.MapGroup("openapi.json"));
        AdminOpenApi.Map(description);
        description.Close();

        // What the application has below /admin comes first, and so does a tenant's endpoint at a URL with such a path.
        group
            .Map("{**path}", () =>
                AdminRoutes.NothingAt(
                    "/admin/tenants and what is below it, /admin/audit, /admin/refusals, /admin/usage, /admin/nodes, /admin/summary, "
                        + "/admin/deletions, /admin/events and /admin/openapi.json"
                )
            )
            .WithMetadata(AdminEndpointMetadata.Instance)
            .WithOrder(int.MaxValue);
    }

    private static void MapTenants(AdminRoutes routes)
    {
        routes
            .Map(HttpMethods.Post, "", RegisterAsync, "wait", "adopt")
            .Map(HttpMethods.Get, "", List, TenantQuery.Names)
            .Map(HttpMethods.Get, "{id}", GetAsync)
            .Map(HttpMethods.Patch, "{id}", PatchAsync, "force")
            .Map(HttpMethods.Delete, "{id}", DeleteAsync)
            .Map(HttpMethods.Post, "{id}/recheck", RecheckAsync)
            .Map(HttpMethods.Post, "{id}/unregister", UnregisterAsync);
        SessionEndpoints.Map(routes);
        PrincipalEndpoints.Map(routes);
        ClientEndpoints.Map(routes);
        TokenEndpoints.Map(routes);
        AuditEndpoints.Map(routes);
        UsageEndpoints.Map(routes);
        TrafficEndpoints.Map(routes);
        routes.Close();
    }

    private static async Task<IResult> RegisterAsync(HttpContext context, ITenantAdministration administration)
    {
        var wait = AdminRequest.ReadFlag(context, "wait");
        var adopt = AdminRequest.ReadFlag(context, "adopt");
        var wire = await AdminRequest.ReadAsync(
            context,
            TenancyJson.Default.TenantWire,
            "The body must be a tenant, such as { \"id\": \"acme\" }."
        );
        var options = new TenantRegistrationOptions
        {
            AwaitFirstValidation = wait,
            Creation = adopt ? TenantCreation.Adopt : TenantCreation.New,
        };
        var registration = AdminIdempotency.Complete(context.Features.Get<AdminClaim>(), wire.ToRegistration());
        var tenant = await administration.RegisterAsync(registration, options, context.RequestAborted);
        return Answer(context, TenantAnswer.From(tenant), tenant.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static JsonHttpResult<TenantList> List(HttpContext context, TenantRegistry registry, IPlatformNames platforms)
    {
        var (query, only) = (TenantQuery.Read(context, platforms.Names), AdminAccess.TenantOf(context));
        var (tenants, count, nextCursor) = query.Apply(registry, only);
        return TypedResults.Json(new TenantList([.. tenants.Select(TenantAnswer.From)], count, nextCursor), AdminJson.Wire.TenantList);
    }

    // Tenants are counted in memory: whoever looks at them waits for no store, and sees them while that is away.
    private static JsonHttpResult<TenantSummary> Summarize(TenantRegistry registry) =>
        TypedResults.Json(TenantSummary.Of(registry), AdminJson.Wire.TenantSummary);

    private static async Task<JsonHttpResult<DeletionList>> ListDeletionsAsync(TenantPurge purge) =>
        TypedResults.Json(
            new DeletionList([.. (await purge.ListAsync()).Select(one => new TenantDeletion(one.Tenant.Value, one.Progress.Deleted))]),
            AdminJson.Wire.DeletionList
        );

    private static async Task<IResult> GetAsync(string id, HttpContext context, TenantRegistry registry, TenantPurge purge) =>
        !TenantId.TryParse(id, out var tenantId) ? AdminProblems.NotFound(id)
        : await FindAsync(registry, tenantId, context.RequestAborted) is { } tenant ? Answer(context, TenantAnswer.From(tenant.ToStatus()))
        : await purge.FindAsync(tenantId) is { } progress ? AdminProblems.Purging(id, progress)
        : AdminProblems.NotFound(id);

    internal static async Task<TenantModel?> FindAsync(TenantRegistry registry, string id, CancellationToken cancellationToken) =>
        TenantId.TryParse(id, out var tenantId) ? await FindAsync(registry, tenantId, cancellationToken) : null;

    /// <summary>A tenant as the store has it. While that is away, as this node knows it.</summary>
    internal static async Task<TenantModel?> FindAsync(TenantRegistry registry, TenantId id, CancellationToken cancellationToken)
    {
        try
        {
            return await registry.Stored.FollowAsync(id, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return registry.Get(id);
        }
    }

    private static async Task<IResult> PatchAsync(
        string id,
        HttpContext context,
        ITenantAdministration administration,
        [FromHeader(Name = "If-Match")] string? ifMatch
    )
    {
        if (!TenantId.TryParse(id, out var tenantId))
        {
            return AdminProblems.NotFound(id);
        }

        if (!TryReadVersion(ifMatch, out var version))
        {
            return AdminProblems.Invalid([new("If-Match", "must be the ETag that the tenant was read with, such as \"7\"")]);
        }

        var force = AdminRequest.ReadFlag(context, "force");
        JsonObject patch;
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted);
            patch = JsonObject.Create(document.RootElement.Clone())
                ?? throw new JsonException("The body must be a JSON object: the fields to change.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return AdminProblems.Invalid([
                new("", "The body must be a JSON object without repeated keys: the fields to change (RFC 7396)."),
            ]);
        }

        var seen = MergePatch.TakeSeenVersion(patch);
        if (version is not null && seen is not null && version != seen)
        {
            return AdminProblems.Invalid([new("version", $"is {seen}, and If-Match says {version}: send one of them")]);
        }

        return Answer(
            context,
            TenantAnswer.From(
                await administration.UpdateAsync(
                    tenantId,
                    tenant => MergePatch.Apply(tenant, patch),
                    new() { ExpectedVersion = version ?? seen, Force = force },
                    context.RequestAborted
                )
            )
        );
    }

    private static async Task<IResult> RecheckAsync(string id, HttpContext context, ITenantAdministration administration) =>
        TenantId.TryParse(id, out var tenantId)
            ? Answer(context, TenantAnswer.From(await administration.RecheckAsync(tenantId, context.RequestAborted)))
            : AdminProblems.NotFound(id);

    private static async Task<IResult> UnregisterAsync(string id, ITenantAdministration administration) =>
        TenantId.TryParse(id, out var tenantId) && await administration.UnregisterAsync(tenantId)
            ? TypedResults.NoContent()
            : AdminProblems.NotFound(id);

    private static async Task<IResult> DeleteAsync(string id, ITenantAdministration administration) =>
        TenantId.TryParse(id, out var tenantId) && await administration.DeleteAsync(tenantId)
            ? TypedResults.NoContent()
            : AdminProblems.NotFound(id);

    private static JsonHttpResult<TenantAnswer> Answer(HttpContext context, TenantAnswer tenant, int status = StatusCodes.Status200OK)
    {
        context.Response.Headers.ETag = $"\"{tenant.Version.ToString(CultureInfo.InvariantCulture)}\"";
        return TypedResults.Json(tenant, AdminJson.Wire.TenantAnswer, statusCode: status);
    }

    private static bool TryReadVersion(string? ifMatch, out long? version)
    {
        version = null;
        if (string.IsNullOrEmpty(ifMatch) || ifMatch == "*")
        {
            return true;
        }

        var isNumber = long.TryParse(ifMatch.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        version = number;
        return isNumber;
    }
}
