using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>What was done, and what was refused: of one tenant, and of all that ever were.</summary>
internal static class AuditEndpoints
{
    public static void Map(AdminRoutes routes) =>
        routes
            .Map(HttpMethods.Get, "{id}/audit", ListAsync, AuditQuery.Names)
            .Map(HttpMethods.Get, "{id}/refusals", ListRefusalsAsync, AuditQuery.RefusalNames);

    public static void MapAll(AdminRoutes routes) => routes.Map(HttpMethods.Get, "", ListAllAsync, [.. AuditQuery.Names, "tenant"]);

    public static void MapAllRefusals(AdminRoutes routes) =>
        routes.Map(HttpMethods.Get, "", ListAllRefusalsAsync, [.. AuditQuery.RefusalNames, "tenant"]);

    private static async Task<IResult> ListAsync(string id, HttpContext context, TenantRegistry registry, AuditLog log) =>
        await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is { } tenant
            ? await AnswerAsync(context, log, tenant.Id, await log.BeginOfAsync(tenant.Id))
            : AdminProblems.NotFound(id);

    private static Task<JsonHttpResult<AuditList>> ListAllAsync(HttpContext context, AuditLog log) =>
        AnswerAsync(context, log, AuditQuery.ReadTenant(context), since: null);

    private static async Task<IResult> ListRefusalsAsync(string id, HttpContext context, TenantRegistry registry, AuditLog log) =>
        await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is { } tenant
            ? await AnswerRefusalsAsync(context, log, tenant.Id, await log.BeginOfAsync(tenant.Id))
            : AdminProblems.NotFound(id);

    private static Task<JsonHttpResult<RefusalList>> ListAllRefusalsAsync(HttpContext context, AuditLog log) =>
        AnswerRefusalsAsync(context, log, AuditQuery.ReadTenant(context), since: null);

    private static async Task<JsonHttpResult<AuditList>> AnswerAsync(HttpContext context, AuditLog log, TenantId? tenant, string? since)
    {
        var query = AuditQuery.Read(context);
        var (entries, next) = await query.ApplyAsync(since, (before, from, take) => log.ListAsync(tenant, before, from, take), query.Fits);
        return TypedResults.Json(new AuditList([.. entries.Select(static one => new AuditAnswer(one))], next), AdminJson.Wire.AuditList);
    }

    private static async Task<JsonHttpResult<RefusalList>> AnswerRefusalsAsync(
        HttpContext context,
        AuditLog log,
        TenantId? tenant,
        string? since
    )
    {
        var query = AuditQuery.ReadOfRefusals(context);
        var (entries, next) = await query.ApplyAsync(
            since,
            (before, from, take) => log.ListRefusalsAsync(tenant, before, from, take),
            query.Fits
        );
        return TypedResults.Json(new RefusalList([.. entries.Select(static one => one.Entry)], next), AdminJson.Wire.RefusalList);
    }
}

/// <summary>Entries of the audit, the latest first.</summary>
/// <param name="Entries">A page of them. It may have fewer than were asked for although there are more.</param>
/// <param name="NextCursor">What the next page is asked for with; null where there is none.</param>
internal sealed record AuditList(IReadOnlyList<AuditAnswer> Entries, string? NextCursor);

/// <summary>Counts of refused requests, the latest first.</summary>
/// <param name="Refusals">A page of them. It may have fewer than were asked for although there are more.</param>
/// <param name="NextCursor">What the next page is asked for with; null where there is none.</param>
internal sealed record RefusalList(IReadOnlyList<RefusedAccess> Refusals, string? NextCursor);

/// <summary>An entry of the audit.</summary>
internal sealed record AuditAnswer
{
    public AuditAnswer(LoggedEntry<AuditEntry> logged)
    {
        var entry = logged.Entry;
        (Id, At, Action, Tenant) = (logged.Id, logged.At, entry.Action, entry.Tenant);
        (Caller, Key, Address) = (entry.Caller, entry.Key, entry.Address);
        (Account, Subject, Reason, Changes) = (entry.Account, entry.Subject, entry.Reason, entry.Changes ?? []);
    }

    /// <summary>Gets what names the entry.</summary>
    public string Id { get; }

    /// <summary>Gets when it was done, by the store's clock.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Gets what was done.</summary>
    public string Action { get; }

    /// <summary>Gets the tenant.</summary>
    public string Tenant { get; }

    /// <summary>Gets who did it.</summary>
    public string Caller { get; }

    /// <summary>Gets what the admin key is called: the beginning of its hash.</summary>
    public string? Key { get; }

    /// <summary>Gets the address that the request came from.</summary>
    public string? Address { get; }

    /// <summary>Gets the account that a scope was opened for.</summary>
    public string? Account { get; }

    /// <summary>Gets the id of the principal, or the handle of the client or the session.</summary>
    public string? Subject { get; }

    /// <summary>Gets why a scope was opened.</summary>
    public string? Reason { get; }

    /// <summary>Gets the fields that are others now.</summary>
    public IReadOnlyList<AuditChange> Changes { get; }
}
