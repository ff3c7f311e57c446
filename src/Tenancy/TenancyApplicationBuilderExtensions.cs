using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy;
using Tenancy.Admin;
using Tenancy.Admin.Console;
using Tenancy.Admin.Start;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Mcp.Gate;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts a multi-tenant MCP server into the application's pipeline.</summary>
public static class TenancyApplicationBuilderExtensions
{
    // A tenant's URL has up to three path segments, so that its endpoints need no rewriting of paths.
    private static readonly string[] Prefixes = ["", "/{tenant}", "/{a}/{b}", "/{a}/{b}/{c}"];

    private static readonly Refusal OtherMethod = Refusal.NoStream with
    {
        Detail = "Send messages by POST: beside it there are GET and DELETE, for the stream and the end of a session.",
        Allow = "GET, POST, DELETE",
    };

    /// <summary>
    /// Adds what stands in front of tenant endpoints: host and Origin, tenant, authentication, authorization, in this order.
    /// </summary>
    /// <remarks>
    /// Call it once, before endpoints are mapped, and after <c>UseRouting</c> where you call that. Endpoints that ask for no tenant are not
    /// touched. Where it is missing, or comes too early, the server does not start; an endpoint that asks for a tenant and gets none
    /// answers 500 and does not run. In Development it also answers <c>/</c>, where nothing of the application does: with a page that says
    /// what runs here and how each tenant is called.
    /// </remarks>
    public static IApplicationBuilder UseTenancy(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var check = app.ApplicationServices.GetService<PipelineCheck>()
            ?? throw new InvalidOperationException(
                "The services of Tenancy are not there: call builder.Services.AddTenancy(builder.Configuration) before builder.Build()."
            );
        check.Note(app);
        if (app.ApplicationServices.GetRequiredService<IHostEnvironment>().IsDevelopment())
        {
            app.UseMiddleware<StartPageMiddleware>();
        }

        app.UseMiddleware<DrainedConnections>();
        var stock = new StockPipeline(app);
        stock.UseAuthentication().UseAuthorization();
        return app.UseMiddleware<AdminMiddleware>().UseMiddleware<TenantMiddleware>().UseMiddleware<KnownCallersMiddleware>(stock);
    }

    /// <summary>
    /// Maps the MCP endpoint of every tenant: <c>/mcp</c>, <c>/{tenant}/mcp</c> and the URL of a tenant plus <c>/mcp</c>.
    /// </summary>
    /// <remarks>
    /// For tenants with an identity provider it maps the metadata by which clients find that, too (RFC 9728). Where clients look for an
    /// authorization server at this server itself, <c>POST /register</c> among those places, they are told that there is none. An endpoint
    /// of yours at one of these places, or with a pattern below <c>/.well-known/</c> that fits it, is the one that answers there.
    /// </remarks>
    /// <returns>A builder for conventions that all of them share.</returns>
    public static IEndpointConventionBuilder MapTenantMcp(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("");
        foreach (var prefix in Prefixes)
        {
            group
                .MapMcp(prefix + McpEndpoint.Path)
                .WithMetadata(new TenantEndpointMetadata(McpEndpoint.Path, isMcp: true))
                .TakeAnyContent()
                .AddEndpointFilterFactory(
                    static (endpoint, next) =>
                    {
                        // One for all requests: a filter that is added by its type is made for each, and with it a scope of services.
                        var filter = endpoint.ApplicationServices.GetRequiredService<McpGate>();
                        return context => filter.InvokeAsync(context, next);
                    }
                );

            // Browsers ask first, by OPTIONS: the middleware answers them, and this whatever is asked by another method besides.
            group
                .Map(prefix + McpEndpoint.Path, (HttpContext context, McpRefusals refusals) => refusals.WriteAsync(context, OtherMethod))
                .WithMetadata(new TenantEndpointMetadata(McpEndpoint.Path, isMcp: true));
            OAuthEndpoints.Map(group, prefix);
        }

        OAuthEndpoints.Map(group);
        EndpointGuard.Add(group);
        return group;
    }

    /// <summary>
    /// Maps the admin API at <c>/admin/tenants</c> and <c>/admin/nodes</c>, and the console, a page for people, at <c>/admin</c>. Without a
    /// key in <c>Tenancy:Admin:Keys</c> nothing is mapped, and the log says so.
    /// </summary>
    /// <remarks>
    /// The API asks for the authorization policy <see cref="TenantAdminDefaults.Policy"/>. The page holds no data and asks for none; an
    /// application's own endpoint at its place is the one that answers there.
    /// </remarks>
    public static IEndpointConventionBuilder MapTenantAdmin(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("/admin");
        if (endpoints.ServiceProvider.GetRequiredService<AdminKeys>().Any)
        {
            var api = group.MapGroup("");
            AdminEndpoints.Map(api);
            api.RequireAuthorization(TenantAdminDefaults.Policy);
            ConsoleEndpoints.Map(group);
            EndpointGuard.Add(group);
        }
        else
        {
            endpoints.ServiceProvider.GetRequiredService<ILogger<AdminKeys>>().AdminApiOff();
        }

        return group;
    }

    /// <summary>Maps <c>/health/live</c> and <c>/health/ready</c> of the server, and <c>/health</c> below every tenant's URL.</summary>
    /// <remarks>
    /// Ready runs the application's health checks and says how durable the store is: <c>memory-only</c>, <c>durable</c> or
    /// <c>replicated</c>; a node whose store is <c>away</c> goes on serving its tenants. A tenant's health is 200 where it is served, 503
    /// where it is not now, and 404 where there is no such tenant.
    /// </remarks>
    public static IEndpointConventionBuilder MapTenantHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("");
        group.MapGet("/health/live", Alive);
        group.MapHealthChecks("/health/ready", new() { ResponseWriter = WriteReadyAsync });
        foreach (var prefix in Prefixes)
        {
            group.MapGet(prefix + "/health", Alive).WithMetadata(new TenantEndpointMetadata("/health", isMcp: false));
        }

        EndpointGuard.Add(group);
        return group;
    }

    // Routing would refuse another content type itself, without a body and whatever the tenant.
    private static IEndpointConventionBuilder TakeAnyContent(this IEndpointConventionBuilder endpoints)
    {
        endpoints.Finally(static endpoint =>
        {
            foreach (var accepted in endpoint.Metadata.OfType<IAcceptsMetadata>().ToArray())
            {
                endpoint.Metadata.Remove(accepted);
            }
        });
        return endpoints;
    }

    // What was healthy a moment ago may not be now: no cache may answer for this server.
    private static IResult Alive(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        return Results.Ok();
    }

    private static Task WriteReadyAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new JsonObject
            {
                ["status"] = report.Status == HealthStatus.Unhealthy ? "unavailable" : "ready",
                ["store"] = report.Entries.GetValueOrDefault(ReadyCheck.Name).Data?.GetValueOrDefault("store") as string,
            }
        );

    /// <summary>Makes an endpoint serve one tenant: the tenant is known before it runs, or it does not run.</summary>
    /// <remarks>The tenant is named as it is for MCP endpoints, where by path: by the route value <c>tenant</c>.</remarks>
    public static TBuilder RequireTenant<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new TenantEndpointMetadata(suffix: null, isMcp: false)));
        EndpointGuard.Add(builder);
        return builder;
    }

    /// <summary>Gets the tenant of a request to an endpoint that serves one.</summary>
    /// <exception cref="InvalidOperationException">The endpoint asks for no tenant.</exception>
    public static TenantModel GetTenant(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<ITenantFeature>()?.Tenant
            ?? throw new InvalidOperationException("This endpoint asks for no tenant: map it with RequireTenant().");
    }
}
