using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Fleet;

/// <summary>
/// Closes each connection with its next answer when the server is told to stop: who has one open would send the next request on it, at the
/// moment at which the server closes it.
/// </summary>
internal sealed class DrainedConnections(RequestDelegate next, NodeDrain drain)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (drain.HasBegun)
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        return next(context);
    }
}
