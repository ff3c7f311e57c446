using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>Tells listeners of changes, in the order in which the writer made them.</summary>
/// <remarks>
/// The library's own listeners know of a change before whoever made it goes on: caches that they keep would otherwise outlive it. They are
/// quick, and are told under a lock. An application's listeners may do anything, so that each is told on a thread of its own, without one.
/// </remarks>
internal sealed class TenantChangeNotifier(
    IEnumerable<OwnChangeListener> own,
    IEnumerable<ITenantChangeListener> foreign,
    ILogger<TenantChangeNotifier> logger
)
{
    private readonly ITenantChangeListener[] _own = [.. own.Select(listener => listener.Listener)];
    private readonly ListenerQueue[] _foreign = [.. foreign.Select(listener => new ListenerQueue(listener, logger))];
    private readonly ConcurrentQueue<TenantChange> _queue = new();
    private readonly Lock _publishing = new();

    /// <summary>Notes a change; the writer calls it while it holds its lock, so that the order is that of the changes.</summary>
    public void Enqueue(TenantChange change) => _queue.Enqueue(change);

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
                foreach (var listener in _own)
                {
                    Tell(listener, change, logger);
                }

                foreach (var listener in _foreign)
                {
                    listener.Enqueue(change);
                }
            }
        }
    }

    private static void Tell(ITenantChangeListener listener, TenantChange change, ILogger logger)
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

    /// <summary>The changes that one listener of an application is still to be told of.</summary>
    private sealed class ListenerQueue(ITenantChangeListener listener, ILogger logger)
    {
        private readonly Lock _lock = new();
        private readonly Queue<TenantChange> _changes = [];
        private bool _isTelling;

        public void Enqueue(TenantChange change)
        {
            lock (_lock)
            {
                _changes.Enqueue(change);
                if (!_isTelling)
                {
                    _isTelling = true;
                    ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.TellAll(), this, preferLocal: false);
                }
            }
        }

        private void TellAll()
        {
            while (TryDequeue(out var change))
            {
                Tell(listener, change, logger);
            }
        }

        private bool TryDequeue([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TenantChange change)
        {
            lock (_lock)
            {
                return _isTelling = _changes.TryDequeue(out change);
            }
        }
    }
}

/// <summary>A listener of the library's own.</summary>
internal sealed record OwnChangeListener(ITenantChangeListener Listener);
