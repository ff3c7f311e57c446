using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The principals of a tenant. A token is shown once, in the answer that issues it.</summary>
internal static class PrincipalEndpoints
{
    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Post, "{id}/principals", IssueAsync);
        routes.Map(HttpMethods.Get, "{id}/principals", ListAsync);
        routes.Map(HttpMethods.Post, "{id}/principals/{principalId}/rotate", RotateAsync, "overlap");
        routes.Map(HttpMethods.Delete, "{id}/principals/{principalId}", RevokeAsync);
    }

    private static async Task<IResult> IssueAsync(
        string id,
        HttpContext context,
        TenantRegistry registry,
        ITenantAdministration administration,
        TenantPrincipals principals
    )
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var principal = await AdminRequest.ReadAsync(
            context,
            TenancyJson.Default.PrincipalRegistration,
            "The body must be a principal, such as { \"name\": \"buyer\" }."
        );
        var claim = context.Features.Get<AdminClaim>();
        return Show(
            await IssueOnceAsync(administration, principals, tenant, AdminIdempotency.Complete(claim, tenant.Id, principal), claim),
            StatusCodes.Status201Created
        );
    }

    private static async Task<IssuedPrincipal> IssueOnceAsync(
        ITenantAdministration administration,
        TenantPrincipals principals,
        TenantModel tenant,
        PrincipalRegistration principal,
        AdminClaim? claim
    )
    {
        try
        {
            return await administration.IssuePrincipalAsync(tenant.Id, principal);
        }
        catch (TenantConflictException exception) when (exception.Field == "token" && claim is { FollowsCutOff: true })
        {
            // The run before was cut off after it had made the principal.
            return (await principals.FindAsync(tenant, [principal]))[0];
        }
    }

    private static async Task<IResult> ListAsync(string id, ITenantAdministration administration) =>
        TenantId.TryParse(id, out var tenant)
            ? TypedResults.Json(new PrincipalList(await administration.ListPrincipalsAsync(tenant)), AdminJson.Wire.PrincipalList)
            : AdminProblems.NotFound(id);

    private static async Task<IResult> RotateAsync(
        string id,
        string principalId,
        HttpContext context,
        TenantRegistry registry,
        ITenantAdministration administration,
        TenantPrincipals principals
    )
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var most = (int)TenantPrincipals.MaxOverlap.TotalSeconds;
        var overlap = AdminRequest.ReadNumber(
            context,
            "overlap",
            absent: 0,
            least: 0,
            most,
            "seconds, for which the token before is good too"
        );
        // With an idempotency key the token comes from that, so that the same request after a cut-off gives the same one.
        var token = context.Features.Get<AdminClaim>()?.NewToken(tenant.Id);
        var rotation = token is null
            ? administration.RotatePrincipalAsync(tenant.Id, principalId, TimeSpan.FromSeconds(overlap))
            : principals.RotateAsync(tenant, principalId, TimeSpan.FromSeconds(overlap), token);
        return await rotation is { } rotated ? Show(rotated, StatusCodes.Status200OK) : NoPrincipal(tenant.Id);
    }

    private static async Task<IResult> RevokeAsync(string id, string principalId, ITenantAdministration administration) =>
        !TenantId.TryParse(id, out var tenant) ? AdminProblems.NotFound(id)
        : await administration.RevokePrincipalAsync(tenant, principalId) ? TypedResults.NoContent()
        : NoPrincipal(tenant);

    private static JsonHttpResult<AdminProblem> NoPrincipal(TenantId tenant) =>
        AdminProblems.Create(StatusCodes.Status404NotFound, $"The tenant '{tenant}' has no such principal.");

    private static JsonHttpResult<IssuedPrincipal> Show(IssuedPrincipal principal, int status) =>
        TypedResults.Json(principal, AdminJson.Wire.IssuedPrincipal, statusCode: status);
}

/// <summary>The principals of a tenant, without their tokens.</summary>
internal sealed record PrincipalList(IReadOnlyList<TenantPrincipal> Principals);
