using Microsoft.AspNetCore.Http;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Leads requests whose caller is known past ASP.NET Core's authentication and authorization, and all others through them.
/// </summary>
internal sealed class KnownCallersMiddleware(
    RequestDelegate next,
    KnownCallers known,
    StockPipeline checks,
    McpRefusals refusals,
    CountedRefusals refused
)
{
    private readonly RequestDelegate _check = checks.Build(next);

    public Task InvokeAsync(HttpContext context) => known.TryAdmit(context) ? next(context) : CheckAsync(context);

    private async Task CheckAsync(HttpContext context)
    {
        await _check(context);

        // A policy of the application's says no more than a status, which clients of MCP cannot read.
        var response = context.Response;
        if (
            response
                is { HasStarted: false, ContentType: null, StatusCode: StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden }
            && context.GetEndpoint()?.Metadata.GetMetadata<TenantEndpointMetadata>() is { IsMcp: true }
        )
        {
            var refusal =
                response.StatusCode == StatusCodes.Status401Unauthorized ? Refusal.NoCredentials
                : context.Features.Get<UnlistedClient>() is not null ? Refusal.UnlistedClient
                : Refusal.NotAllowed;
            refused.Count(context, refusal, context.Features.Get<ITenantFeature>()?.Tenant.Id.Value);
            await refusals.WriteAsync(context, refusal);
        }
    }
}
