using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Admin.Start;

/// <summary>
/// Answers <c>/</c> in Development: what runs here, its tenants, and how each is called. Elsewhere it is no part of the pipeline.
/// </summary>
/// <remarks>
/// It is a middleware, and not an endpoint, because it comes last: whatever the application has at this path, be it an endpoint, a fallback
/// or a file, has answered before. It answers at the hosts of the admin API only, so that no page of another site reads it by DNS
/// rebinding.
/// </remarks>
internal sealed class StartPageMiddleware(RequestDelegate next, AllowedHosts hosts, StartPage page)
{
    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (IsLeft(context) && IsAtOwnHost(context))
        {
            await page.WriteAsync(context);
        }
    }

    // Nobody answered: this 404 is that of the end of the pipeline, and no endpoint's.
    private static bool IsLeft(HttpContext context) =>
        context.Request.Path.Value is "/" or ""
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.GetEndpoint() is null
        && context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound };

    private bool IsAtOwnHost(HttpContext context)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        return CanonicalHost.TryRead(context.Request.Headers.Host.ToString(), buffer, out var host) && hosts.ContainsForAdmin(host);
    }
}
