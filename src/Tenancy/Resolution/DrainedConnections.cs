using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>
/// Closes each connection with its next answer when the server is told to stop: who has one open would send the next request on it, at the
/// moment at which the server closes it.
/// </summary>
internal sealed class DrainedConnections(RequestDelegate next, ServingTime serving)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (serving.IsEnding)
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        return next(context);
    }
}
