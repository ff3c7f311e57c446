using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>Tells listeners of changes, in the order in which the writer made them.</summary>
internal sealed class TenantChangeNotifier(IEnumerable<ITenantChangeListener> listeners, ILogger<TenantChangeNotifier> logger)
{
    private readonly ITenantChangeListener[] _listeners = [.. listeners];
    private readonly ConcurrentQueue<TenantChange> _queue = new();
    private readonly Lock _publishing = new();

    /// <summary>Notes a change; the writer calls it while it holds its lock, so that the order is that of the changes.</summary>
    public void Enqueue(TenantChange change)
    {
        if (_listeners.Length > 0)
        {
            _queue.Enqueue(change);
        }
    }

    /// <summary>Tells the listeners what was noted; the writer calls it after it let go of its lock.</summary>
    public void Publish()
    {
        if (_queue.IsEmpty)
        {
            return;
        }

        lock (_publishing)
        {
            while (_queue.TryDequeue(out var change))
            {
                foreach (var listener in _listeners)
                {
                    Tell(listener, change);
                }
            }
        }
    }

    private void Tell(ITenantChangeListener listener, TenantChange change)
    {
        try
        {
            listener.OnTenantChanged(change);
        }
        catch (Exception exception)
        {
            logger.ListenerFailed(exception, change.TenantId.Value);
        }
    }
}
