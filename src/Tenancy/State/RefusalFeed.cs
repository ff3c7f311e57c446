using System.Collections.Immutable;
using System.Text.Json;
using StackExchange.Redis;
using Tenancy.Audit;

namespace Tenancy.State;

/// <summary>
/// Tells all nodes what each has refused since it said so last, for those who watch now. A message that is lost is not sent again: the
/// counts of whole minutes are in the store.
/// </summary>
internal sealed class RefusalFeed(RedisConnection redis, TimeProvider time)
{
    private const string Channel = "{tenants}:refused";

    private ImmutableArray<Action<RefusedNow>> _listeners = [];
    private bool _isHeard;

    /// <summary>Adds somebody who is told of what any node has refused. It must be quick.</summary>
    public void Listen(Action<RefusedNow> listener) => ImmutableInterlocked.Update(ref _listeners, (all, one) => all.Add(one), listener);

    /// <summary>Begins to hear the other nodes, where that was not possible before.</summary>
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
            // It is tried again. What this node refuses is told here all the same.
        }
    }

    /// <summary>Tells all nodes, this one too, what this one has refused.</summary>
    public void Tell(IReadOnlyList<RefusedCount> refusals)
    {
        if (refusals.Count == 0)
        {
            return;
        }

        var refused = new RefusedNow(redis.NodeId, time.GetUtcNow(), refusals);
        TellHere(refused);
        redis.Tell(Channel, JsonSerializer.Serialize(refused, FleetEventJson.Wire.RefusedNow));
    }

    private void OnMessage(string text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, FleetEventJson.Wire.RefusedNow) is { } refused && refused.Node != redis.NodeId)
            {
                TellHere(refused);
            }
        }
        catch (JsonException)
        {
            // A later release says more.
        }
    }

    private void TellHere(RefusedNow refused)
    {
        foreach (var listener in _listeners)
        {
            listener(refused);
        }
    }
}

/// <summary>What a node has refused since it said so last.</summary>
/// <param name="Node">The node.</param>
/// <param name="At">When it said so, by its clock.</param>
/// <param name="Refusals">The refused requests, by tenant and reason.</param>
internal sealed record RefusedNow(string Node, DateTimeOffset At, IReadOnlyList<RefusedCount> Refusals);
