using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>Tells those who let somebody stay that a credential of a tenant was taken back, on this node or another.</summary>
internal sealed class Revocations
{
    public Revocations(FleetMessages messages) =>
        messages.Listen(message =>
        {
            if (message.Topic is FleetTopic.Principals or FleetTopic.Clients)
            {
                Tell(message.Tenant);
            }
        });

    /// <summary>Is raised with the tenant. Who hears of it is quick, and throws nothing.</summary>
    public event Action<TenantId>? Revoked;

    public void Tell(TenantId tenant) => Revoked?.Invoke(tenant);
}
