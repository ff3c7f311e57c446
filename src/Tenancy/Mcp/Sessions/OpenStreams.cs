using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>The streams of sessions that are open on this node: one for each session at a time.</summary>
internal sealed class OpenStreams : ITenantChangeListener
{
    // By tenant, so that a change of one looks through nobody else's.
    private readonly Dictionary<TenantId, Dictionary<string, SessionStream>> _streams = [];
    private readonly Lock _lock = new();

    /// <summary>Takes a stream; the one that its session had ends.</summary>
    public void Add(SessionStream stream)
    {
        SessionStream? before;
        lock (_lock)
        {
            if (!_streams.TryGetValue(stream.Tenant.Id, out var own))
            {
                _streams[stream.Tenant.Id] = own = new(StringComparer.Ordinal);
            }

            own.Remove(stream.Handle, out before);
            own[stream.Handle] = stream;
        }

        before?.End();
    }

    /// <summary>Lets go of a stream, unless another one has taken its place.</summary>
    public void Remove(SessionStream stream)
    {
        lock (_lock)
        {
            if (!_streams.TryGetValue(stream.Tenant.Id, out var own) || own.GetValueOrDefault(stream.Handle) != stream)
            {
                return;
            }

            own.Remove(stream.Handle);
            if (own.Count == 0)
            {
                _streams.Remove(stream.Tenant.Id);
            }
        }
    }

    /// <summary>Finds the stream of a session; null where it has none here.</summary>
    public SessionStream? Find(TenantId tenant, string sessionId) => FindByHandle(tenant, TenantKeyspace.Hash(sessionId));

    /// <summary>The streams of a tenant.</summary>
    public IReadOnlyList<SessionStream> Of(TenantId tenant)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(tenant, out var own) ? [.. own.Values] : [];
        }
    }

    /// <summary>Ends the stream of a session that was ended.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="handle">What admins know the session by.</param>
    public void End(TenantId tenant, string handle) => FindByHandle(tenant, handle)?.End();

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
                // Elsewhere: changes of all tenants wait for who is told of this one. Where the client is gone, it is nobody's loss.
                _ = Task.Run(stream.TellListsAsync);
            }
        }
    }

    /// <summary>Finds the stream of a session by what admins know the session by; null where it has none here.</summary>
    public SessionStream? FindByHandle(TenantId tenant, string handle)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(tenant, out var own) ? own.GetValueOrDefault(handle) : null;
        }
    }
}
