using System.Threading.Channels;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>
/// Says that something happened, here or at another node, so that nobody who follows has to wait until the store is asked.
/// </summary>
internal sealed class EventWakes : ITenantChangeListener
{
    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public EventWakes(FleetMessages messages) =>
        messages.Listen(message =>
        {
            if (message.Topic is FleetTopic.Tenant or FleetTopic.Principals or FleetTopic.Clients or FleetTopic.Session)
            {
                Wake();
            }
        });

    /// <inheritdoc/>
    public void OnTenantChanged(TenantChange change) => Wake();

    /// <summary>Waits for the next time.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _wakes.Reader.ReadAsync(cancellationToken);

    private void Wake() => _wakes.Writer.TryWrite(true);
}
