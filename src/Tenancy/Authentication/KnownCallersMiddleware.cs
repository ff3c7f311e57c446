using Microsoft.AspNetCore.Http;

namespace Tenancy.Authentication;

/// <summary>
/// Leads requests whose caller is known past ASP.NET Core's authentication and authorization, and all others through them.
/// </summary>
internal sealed class KnownCallersMiddleware(RequestDelegate next, KnownCallers known, StockPipeline checks)
{
    private readonly RequestDelegate _check = checks.Build(next);

    public Task InvokeAsync(HttpContext context) => known.TryAdmit(context) ? next(context) : _check(context);
}
