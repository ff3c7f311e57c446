using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;

namespace Tenancy.Admin;

/// <summary>The admin API: tenants come and go through it while the server runs.</summary>
internal static class AdminEndpoints
{
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/admin/tenants");
        if (endpoints.ServiceProvider.GetRequiredService<AdminKeys>().Any)
        {
            group.AddEndpointFilter(RequireKeyAsync);
            group.AddEndpointFilter(ExplainFailureAsync);
            group.MapPost("", RegisterAsync);
            group.MapGet("", List);
            group.MapGet("{id}", Get);
            group.MapDelete("{id}", DeleteAsync);
        }

        return group;
    }

    private static async Task<IResult> RegisterAsync(HttpRequest request, TenantAdministration administration, CancellationToken cancellationToken)
    {
        TenantWire? wire;
        try
        {
            wire = await request.ReadFromJsonAsync(TenancyJson.Default.TenantWire, cancellationToken);
        }
        catch (JsonException exception)
        {
            return Invalid([new(JsonErrors.Field(exception), JsonErrors.Explain(exception))]);
        }

        if (wire is null)
        {
            return Invalid([new("", "The body must be a tenant, such as { \"id\": \"acme\" }.")]);
        }

        var tenant = await administration.RegisterAsync(wire.ToRegistration(), cancellationToken);
        return TypedResults.Json(
            TenantAnswer.From(tenant), AdminJson.Wire.TenantAnswer, statusCode: tenant.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static JsonHttpResult<TenantList> List(TenantRegistry registry) =>
        TypedResults.Json(new TenantList([.. registry.List().OrderBy(tenant => tenant.Config.Id, StringComparer.Ordinal).Select(TenantAnswer.From)]), AdminJson.Wire.TenantList);

    private static IResult Get(string id, TenantRegistry registry) =>
        TenantId.TryParse(id, out var tenantId) && registry.GetStatus(tenantId) is { } tenant
            ? TypedResults.Json(TenantAnswer.From(tenant), AdminJson.Wire.TenantAnswer)
            : NotFound(id);

    private static async Task<IResult> DeleteAsync(string id, TenantAdministration administration, CancellationToken cancellationToken) =>
        TenantId.TryParse(id, out var tenantId) && await administration.DeleteAsync(tenantId, cancellationToken)
            ? TypedResults.NoContent()
            : NotFound(id);

    private static async ValueTask<object?> RequireKeyAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.RequestServices.GetRequiredService<AdminKeys>().Contains(context.HttpContext.Request)
            ? await next(context)
            : Problem(StatusCodes.Status401Unauthorized, $"Send an admin key in the header {AdminKeys.HeaderName}.");

    private static async ValueTask<object?> ExplainFailureAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (TenantConfigException exception)
        {
            return Invalid(exception.Errors);
        }
        catch (TenantConflictException exception)
        {
            return Problem(StatusCodes.Status409Conflict, exception.Message, new() { [exception.Field] = [exception.Message] });
        }
        catch (StoreUnavailableException)
        {
            context.HttpContext.Response.Headers.RetryAfter = "2";
            return Problem(StatusCodes.Status503ServiceUnavailable, "The server's store is not available now. The change may have happened: send it again as it was.");
        }
    }

    private static JsonHttpResult<AdminProblem> NotFound(string id) => Problem(StatusCodes.Status404NotFound, $"There is no tenant '{id}'.");

    private static JsonHttpResult<AdminProblem> Invalid(IReadOnlyList<TenantConfigError> errors) => Problem(
        StatusCodes.Status400BadRequest,
        "The tenant has mistakes; nothing was changed.",
        errors.GroupBy(error => error.Field).ToDictionary(group => group.Key, group => group.Select(error => error.Message).ToArray()));

    private static JsonHttpResult<AdminProblem> Problem(int status, string detail, Dictionary<string, string[]>? errors = null) => TypedResults.Json(
        new AdminProblem(ReasonPhrases.GetReasonPhrase(status), status, detail, errors), AdminJson.Wire.AdminProblem, "application/problem+json", status);
}
