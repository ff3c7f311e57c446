using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>The streams of sessions that are open on this node: one for each session at a time.</summary>
internal sealed class OpenStreams : ITenantChangeListener
{
    private readonly ConcurrentDictionary<(TenantId Tenant, string Handle), SessionStream> _streams = new();

    /// <summary>Takes a stream; the one that its session had ends.</summary>
    public void Add(SessionStream stream)
    {
        SessionStream? before = null;
        _streams.AddOrUpdate((stream.Tenant.Id, stream.Handle), stream, (_, other) =>
        {
            before = other;
            return stream;
        });
        before?.End();
    }

    /// <summary>Lets go of a stream.</summary>
    /// <returns>Whether it was its session's; false where another one has taken its place.</returns>
    public bool Remove(SessionStream stream) => _streams.TryRemove(KeyValuePair.Create((stream.Tenant.Id, stream.Handle), stream));

    /// <summary>Finds the stream of a session; null where it has none here.</summary>
    public SessionStream? Find(TenantId tenant, string sessionId) => _streams.GetValueOrDefault((tenant, TenantKeyspace.Hash(sessionId)));

    /// <summary>The streams of a tenant.</summary>
    public IEnumerable<SessionStream> Of(TenantId tenant) =>
        _streams.Where(stream => stream.Key.Tenant == tenant).Select(static stream => stream.Value);

    /// <summary>Ends the stream of a session that was ended.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="handle">What admins know the session by.</param>
    public void End(TenantId tenant, string handle) => _streams.GetValueOrDefault((tenant, handle))?.End();

    public void OnTenantChanged(TenantChange change)
    {
        foreach (var stream in Of(change.TenantId))
        {
            // What checks find is no reason to end what is open.
            if (change.Kind is not TenantChangeKind.Health && !stream.IsLetInBy(change.After))
            {
                stream.End();
            }
            else if (!ReferenceEquals(change.Before?.Platform, change.After?.Platform))
            {
                // Where the client is gone, it is nobody's loss.
                _ = stream.TellListsAsync(change.After);
            }
        }
    }
}
