using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// Ends what belongs to a session that was ended, on this node and on all others: its stream, the calls that run in it, and what is
/// remembered of it.
/// </summary>
internal sealed class SessionEnds(TouchedSessions touched, OpenStreams streams, OpenSessions sessions, FleetMessages messages)
    : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        messages.Listen(message =>
        {
            if (message.Topic == FleetTopic.Session)
            {
                EndHere(message.Tenant, message.Detail);
            }
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends what belongs to a session, which the store does not have any more.</summary>
    /// <param name="tenant">Whose session it is.</param>
    /// <param name="handle">The hash of its id.</param>
    public void End(TenantId tenant, string handle)
    {
        EndHere(tenant, handle);
        messages.Tell(new(FleetTopic.Session, tenant, handle));
    }

    /// <summary>Ends what belongs to a session whose id is known. Unlike by the handle, nothing has to be looked through for it.</summary>
    public void EndById(TenantId tenant, string sessionId)
    {
        var handle = TenantKeyspace.Hash(sessionId);
        touched.End(tenant, sessionId);
        streams.End(tenant, handle);
        sessions.End(tenant, sessionId);
        messages.Tell(new(FleetTopic.Session, tenant, handle));
    }

    private void EndHere(TenantId tenant, string handle)
    {
        touched.EndByHandle(tenant, handle);
        streams.End(tenant, handle);
        sessions.EndByHandle(tenant, handle);
    }
}
