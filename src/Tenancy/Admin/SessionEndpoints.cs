using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Mcp.Sessions;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The sessions of a tenant, as an admin sees them: by handles, because the id of a session is its caller's alone.</summary>
internal static class SessionEndpoints
{
    private const int MaxPage = 1000;

    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Get, "{id}/sessions", ListAsync, "take", "cursor");
        routes.Map(HttpMethods.Delete, "{id}/sessions/{handle}", EndAsync);
    }

    private static async Task<IResult> ListAsync(string id, HttpContext context, TenantRegistry registry, RedisConnection redis)
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var take = AdminRequest.ReadNumber(context, "take", absent: 100, least: 1, MaxPage, "sessions");
        var cursor = AdminRequest.ReadText(context, "cursor", SessionStore.IsCursor, "the nextCursor of the page before");
        var (sessions, count, nextCursor) = await new SessionStore(redis, tenant.Id, tenant.Generation).ListAsync(
            tenant.Record.SessionEpoch,
            take,
            cursor
        );
        return TypedResults.Json(new SessionList(sessions, count, nextCursor), AdminJson.Wire.SessionList);
    }

    private static async Task<IResult> EndAsync(
        string id,
        string handle,
        TenantRegistry registry,
        HttpContext context,
        RedisConnection redis,
        AuditLog audit,
        SessionEnds ends
    )
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var entry = AuditEntry.Of(AuditAction.SessionEnded, tenant.Id.Value);
        if (handle.Length != TenantKeyspace.HashLength)
        {
            return NoSession(tenant);
        }

        try
        {
            return await audit.ChangeAsync(tenant.Id, () => new SessionStore(redis, tenant.Id, tenant.Generation).EndAsync(handle, entry))
                ? TypedResults.NoContent()
                : NoSession(tenant);
        }
        finally
        {
            // Also where the store did not answer, or another try found it gone: its stream and its calls may be there still.
            ends.End(tenant.Id, handle);
        }
    }

    private static JsonHttpResult<AdminProblem> NoSession(TenantModel tenant) =>
        AdminProblems.Create(StatusCodes.Status404NotFound, $"The tenant '{tenant.Id}' has no session with this handle.");
}

/// <summary>Sessions of a tenant, those that were used last first.</summary>
/// <param name="Sessions">The sessions.</param>
/// <param name="Count">How many there are in all.</param>
/// <param name="NextCursor">What the next page is asked for with; null where there is none.</param>
internal sealed record SessionList(IReadOnlyList<StoredSession> Sessions, int Count, string? NextCursor);
