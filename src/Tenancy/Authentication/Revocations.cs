using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>
/// Takes a credential of a tenant back on this node and on all others. The caches forget it first, and only then those hear of it who let
/// somebody stay: they ask again, and must not be answered from what was known before.
/// </summary>
internal sealed class Revocations(FleetMessages messages, PrincipalCache principals, ClientCache clients) : IHostedService
{
    /// <summary>Is raised with the tenant. Who hears of it is quick, and throws nothing.</summary>
    public event Action<TenantId>? Revoked;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        messages.Listen(message => TellHere(message.Topic, message.Tenant));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Says that principals of a tenant are not what they were, here and on all other nodes.</summary>
    public void TellOfPrincipals(TenantId tenant) => Tell(FleetTopic.Principals, tenant);

    /// <summary>Says that the clients of a tenant are others now, here and on all other nodes.</summary>
    public void TellOfClients(TenantId tenant) => Tell(FleetTopic.Clients, tenant);

    private void Tell(FleetTopic topic, TenantId tenant)
    {
        TellHere(topic, tenant);
        messages.Tell(new(topic, tenant));
    }

    private void TellHere(FleetTopic topic, TenantId tenant)
    {
        switch (topic)
        {
            case FleetTopic.Principals:
                principals.Forget();
                break;
            case FleetTopic.Clients:
                clients.Forget(tenant);
                break;
            default:
                return;
        }

        Revoked?.Invoke(tenant);
    }
}
