using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.State;

/// <summary>What the nodes that share a store tell each other, so that none has to wait until it asks.</summary>
/// <remarks>
/// A message may be lost, come twice or come late. It says where to look, and never what is there: whoever hears it asks the store.
/// </remarks>
internal sealed class FleetMessages(RedisConnection redis, ILogger<FleetMessages> logger)
{
    private const string Channel = "{tenants}:messages";

    private ImmutableArray<Action<FleetMessage>> _listeners = [];
    private bool _isHeard;
    private bool _isSaid;

    /// <summary>Adds somebody who is told of each message of another node. It must be quick.</summary>
    public void Listen(Action<FleetMessage> listener) => ImmutableInterlocked.Update(ref _listeners, (all, one) => all.Add(one), listener);

    /// <summary>
    /// Begins to hear the other nodes, where that was not possible before. The client keeps it up when its connection breaks.
    /// </summary>
    public async Task StartAsync()
    {
        if (_isHeard)
        {
            return;
        }

        try
        {
            await redis.ListenAsync(Channel, OnMessage).ConfigureAwait(false);
            _isHeard = true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            if (!_isSaid)
            {
                // It is tried again each second.
                _isSaid = true;
                logger.MessagesUnavailable(exception);
            }
        }
    }

    /// <summary>Tells the other nodes.</summary>
    public void Tell(FleetMessage message) => Tell(redis, message);

    /// <summary>Tells the other nodes of the same store.</summary>
    public static void Tell(RedisConnection redis, FleetMessage message) => redis.Tell(Channel, message.Write(redis.NodeId));

    private void OnMessage(string text)
    {
        if (FleetMessage.TryRead(text, redis.NodeId, out var message))
        {
            if (message.Topic == FleetTopic.Documents && RememberedAccount.TryRead(message.Tenant, message.Detail, out var account))
            {
                redis.Remembered.Forget(account);
            }

            foreach (var listener in _listeners)
            {
                listener(message);
            }
        }
    }
}

/// <summary>A message from one node to all others.</summary>
/// <param name="Topic">What it is about.</param>
/// <param name="Tenant">The tenant.</param>
/// <param name="Detail">What more there is to say; it has no blanks.</param>
internal readonly record struct FleetMessage(FleetTopic Topic, TenantId Tenant, string Detail = "-")
{
    public string Write(string node) => $"{node} {Topic} {Tenant} {Detail}";

    /// <summary>Reads a message; false for one's own, and for one of a release that knows more.</summary>
    public static bool TryRead(string text, string node, out FleetMessage message)
    {
        message = default;
        if (
            text.Split(' ') is not [var from, var topic, var tenant, var detail]
            || from == node
            || !Enum.TryParse<FleetTopic>(topic, out var known)
            || Enum.GetName(known) != topic
            || !TenantId.TryParse(tenant, out var id)
        )
        {
            return false;
        }

        message = new(known, id, detail);
        return true;
    }
}

/// <summary>What a message between nodes is about.</summary>
internal enum FleetTopic
{
    /// <summary>A tenant was registered, changed, checked with another result, or taken away.</summary>
    Tenant,

    /// <summary>A principal of a tenant was revoked or has another token.</summary>
    Principals,

    /// <summary>A client of a tenant came or went.</summary>
    Clients,

    /// <summary>A session of a tenant was ended; the detail is its handle.</summary>
    Session,

    /// <summary>A session of a tenant has another stream than before; the detail is its handle.</summary>
    Stream,

    /// <summary>
    /// Documents changed that nodes may remember; the detail is the tenant's generation and the account that they lie in.
    /// </summary>
    Documents,

    /// <summary>A client told a session something that another node has to act upon; the detail is all of it.</summary>
    Delivery,

    /// <summary>A node acts upon a delivery; the detail is its id.</summary>
    Delivered,
}
