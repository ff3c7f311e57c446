using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Resolution;

/// <summary>
/// Lets an endpoint run only after the middleware that belongs to it. Where an application's pipeline is put together so that a request
/// goes past the middleware, the endpoint would otherwise run without a tenant, or without the checks of the admin API.
/// </summary>
internal static class EndpointGuard
{
    /// <summary>Guards endpoints by their metadata; those that have none of ours stay as they are.</summary>
    public static void Add(IEndpointConventionBuilder endpoints) => endpoints.Finally(Add);

    private static void Add(EndpointBuilder endpoint)
    {
        if (endpoint.Metadata.OfType<TenantEndpointMetadata>().Any())
        {
            Guard<ITenantFeature>(endpoint);
        }
        else if (endpoint.Metadata.OfType<AdminEndpointMetadata>().Any())
        {
            Guard<AdminAdmission>(endpoint);
        }
    }

    private static void Guard<TFeature>(EndpointBuilder endpoint)
        where TFeature : class
    {
        if (endpoint.RequestDelegate is { } run)
        {
            endpoint.RequestDelegate = context => context.Features.Get<TFeature>() is null ? RefuseAsync(context) : run(context);
        }
    }

    private static Task RefuseAsync(HttpContext context)
    {
        // The request's services: not every kind of endpoint knows the application's when it is built.
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(EndpointGuard));
        logger.EndpointNotGuarded(context.GetEndpoint()?.DisplayName);
        return Refusal.NotSetUp.WriteAsync(context);
    }
}

/// <summary>Says that a request passed the checks in front of the admin API.</summary>
internal sealed class AdminAdmission
{
    public static AdminAdmission Instance { get; } = new();
}
