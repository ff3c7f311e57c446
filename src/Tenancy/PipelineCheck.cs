using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tenancy.Resolution;

namespace Tenancy;

/// <summary>
/// Looks at the application's pipeline when the server starts, and stops the start where endpoints would run without what belongs before
/// them.
/// </summary>
/// <remarks>What cannot be seen at the start, such as a middleware in a branch, <see cref="EndpointGuard"/> finds at the request.</remarks>
internal sealed class PipelineCheck(EndpointDataSource? endpoints = null) : IStartupFilter
{
    // ASP.NET Core keeps under this name what UseRouting has made. Where it is called on the application itself, and after UseTenancy,
    // requests come to our middleware before their endpoint is known.
    private const string Routing = "__EndpointRouteBuilder";

    private IApplicationBuilder? _app;
    private bool _hadRouting;

    /// <summary>Notes where our middleware was added.</summary>
    public void Note(IApplicationBuilder app) => (_app, _hadRouting) = (app, app.Properties.ContainsKey(Routing));

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            next(app);
            Check(endpoints?.Endpoints ?? []);
        };

    private void Check(IReadOnlyList<Endpoint> mapped)
    {
        if (mapped.FirstOrDefault(IsOurs) is not { } first)
        {
            return;
        }

        if (_app is null)
        {
            throw new InvalidOperationException(
                $"The endpoint '{first.DisplayName}' needs what app.UseTenancy() adds, and that was not called: call it before endpoints "
                    + "are mapped."
            );
        }

        if (!_hadRouting && _app.Properties.ContainsKey(Routing))
        {
            throw new InvalidOperationException(
                "app.UseTenancy() is called before app.UseRouting(), when no request has an endpoint yet: call it after, or leave "
                    + "app.UseRouting() out."
            );
        }

        if (mapped.FirstOrDefault(IsOpenAdmin) is { } open)
        {
            throw new InvalidOperationException(
                $"The endpoint '{open.DisplayName}' of the admin API has AllowAnonymous, so that everybody could administer all tenants: "
                    + "remove it."
            );
        }
    }

    private static bool IsOurs(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<TenantEndpointMetadata>() is not null
        || endpoint.Metadata.GetMetadata<AdminEndpointMetadata>() is not null;

    private static bool IsOpenAdmin(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<AdminEndpointMetadata>() is not null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
}
