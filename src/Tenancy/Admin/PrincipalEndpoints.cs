using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The principals of a tenant. A token is shown once, in the answer that issues it.</summary>
internal sealed class PrincipalEndpoints(
    TenantRegistry registry, RedisConnection redis, PrincipalCache cache, IHostEnvironment environment, IOptions<TenancyOptions> options, TimeProvider time, ILogger<PrincipalEndpoints> logger)
{
    private const int MaxOverlap = 7 * 24 * 60 * 60;

    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Post, "{id}/principals", (string id, HttpContext context, PrincipalEndpoints endpoints) => endpoints.IssueAsync(id, context));
        routes.Map(HttpMethods.Get, "{id}/principals", (string id, PrincipalEndpoints endpoints) => endpoints.ListAsync(id));
        routes.Map(HttpMethods.Post, "{id}/principals/{principalId}/rotate", (string id, string principalId, HttpContext context, PrincipalEndpoints endpoints) => endpoints.RotateAsync(id, principalId, context));
        routes.Map(HttpMethods.Delete, "{id}/principals/{principalId}", (string id, string principalId, PrincipalEndpoints endpoints) => endpoints.RevokeAsync(id, principalId));
    }

    private async Task<IResult> IssueAsync(string id, HttpContext context)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var principal = await AdminRequest.ReadAsync(context, TenancyJson.Default.PrincipalRegistration, "The body must be a principal, such as { \"name\": \"buyer\" }.");
        if (PrincipalValidator.Validate(id, principal, DevelopmentValues.AreAllowed(environment, options.Value)).ToArray() is { Length: > 0 } errors)
        {
            return AdminProblems.Invalid(errors);
        }

        var (issued, refusal) = await new PrincipalStore(redis, tenant.Id).CreateAsync(principal, time.GetUtcNow());
        if (issued is null)
        {
            var (field, message) = refusal == PrincipalRefusal.TooMany
                ? ("principals", $"The tenant has {PrincipalStore.MaxPrincipals} principals, as many as it may: revoke one.")
                : ("token", "The token is in use: leave it out to have one generated.");
            return AdminProblems.Create(StatusCodes.Status409Conflict, message, new() { [field] = [message] });
        }

        logger.PrincipalIssued(tenant.Id.Value, issued.Id);
        return Show(issued, StatusCodes.Status201Created);
    }

    private async Task<IResult> ListAsync(string id) =>
        registry.Get(id) is { } tenant
            ? TypedResults.Json(new PrincipalList(await new PrincipalStore(redis, tenant.Id).ListAsync()), AdminJson.Wire.PrincipalList)
            : AdminProblems.NotFound(id);

    private async Task<IResult> RotateAsync(string id, string principalId, HttpContext context)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var overlap = AdminRequest.ReadNumber(context, "overlap", absent: 0, least: 0, MaxOverlap, "seconds, for which the token before is good too");
        var now = time.GetUtcNow();
        var rotated = await new PrincipalStore(redis, tenant.Id).RotateAsync(principalId, now.AddSeconds(overlap), now);
        cache.Forget();
        if (rotated is null)
        {
            return NoPrincipal(tenant.Id);
        }

        logger.PrincipalRotated(tenant.Id.Value, rotated.Id, overlap);
        return Show(rotated, StatusCodes.Status200OK);
    }

    private async Task<IResult> RevokeAsync(string id, string principalId)
    {
        if (registry.Get(id) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var revoked = await new PrincipalStore(redis, tenant.Id).DeleteAsync(principalId);
        cache.Forget();
        if (!revoked)
        {
            return NoPrincipal(tenant.Id);
        }

        logger.PrincipalRevoked(tenant.Id.Value, principalId);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<AdminProblem> NoPrincipal(TenantId tenant) => AdminProblems.Create(StatusCodes.Status404NotFound, $"The tenant '{tenant}' has no such principal.");

    private static JsonHttpResult<IssuedPrincipal> Show(IssuedPrincipal principal, int status) =>
        TypedResults.Json(principal, AdminJson.Wire.IssuedPrincipal, statusCode: status);
}

/// <summary>The principals of a tenant, without their tokens.</summary>
internal sealed record PrincipalList(IReadOnlyList<StoredPrincipal> Principals);
