using Microsoft.Extensions.Logging;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>
/// What happens, for all who follow it at this node: it is read from the store once for all of them, and only while there are some.
/// </summary>
/// <remarks>
/// The last of it is kept in a ring that all of them read, each from its own place. So nobody waits for another, and one who reads too
/// slowly costs no memory: what it has not read is gone, and it is cut.
/// </remarks>
internal sealed class EventFeed : IDisposable
{
    /// <summary>How many events one who follows may be behind.</summary>
    public const int Capacity = 1000;

    /// <summary>How often the store is asked, where nobody says that something happened.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int TurnsBetweenNodes = 5;

    private readonly FleetEvents _store;
    private readonly FleetNodes _nodes;
    private readonly RefusalFeed _refusals;
    private readonly EventWakes _wakes;
    private readonly TimeProvider _time;
    private readonly ILogger<EventFeed> _logger;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _lock = new();
    private readonly AdminEvent?[] _ring = new AdminEvent?[Capacity];
    private TaskCompletionSource _more = NewSignal();
    private volatile Run? _run;
    private int _followers;
    private long _next;

    public EventFeed(
        FleetEvents store,
        FleetNodes nodes,
        RefusalFeed refusals,
        EventWakes wakes,
        TimeProvider time,
        ILogger<EventFeed> logger
    )
    {
        (_store, _nodes, _refusals, _wakes, _time, _logger) = (store, nodes, refusals, wakes, time, logger);
        refusals.Listen(refused => Publish(_run, () => AdminEvent.Of(refused)));
    }

    /// <summary>Gets whether anybody follows.</summary>
    public bool IsFollowed => _run is not null;

    /// <summary>Begins to follow; <see cref="Leave"/> ends it.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<EventPlace> JoinAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (TryJoin() is { } place)
            {
                return place;
            }

            await _refusals.StartAsync();
            var last = await _store.GetLastAsync();
            return Begin(new(last, await ListNodesAsync()));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Follows no more.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (--_followers == 0)
            {
                _ = _run!.Ends.CancelAsync();
                _run = null;
                Array.Clear(_ring);
            }
        }
    }

    /// <summary>Gives what is there from a place on.</summary>
    /// <returns>The events, null where some of them are gone already; and what ends when there are more.</returns>
    public (IReadOnlyList<AdminEvent>? Events, Task More) Read(long from)
    {
        lock (_lock)
        {
            if (_next - from > Capacity)
            {
                return (null, Task.CompletedTask);
            }

            var events = new AdminEvent[_next - from];
            for (var i = 0; i < events.Length; i++)
            {
                events[i] = _ring[(from + i) % Capacity]!;
            }

            return (events, _more.Task);
        }
    }

    public void Dispose()
    {
        _ = _run?.Ends.CancelAsync();
        _turn.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private EventPlace? TryJoin()
    {
        lock (_lock)
        {
            if (_run is null)
            {
                return null;
            }

            _followers++;
            return new(_run.Last, _next, AdminEvent.Of(_run.Nodes));
        }
    }

    private EventPlace Begin(Run run)
    {
        lock (_lock)
        {
            _run = run;
        }

        // Whoever came first may go before the others do: nothing of its request belongs to this.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(() => RunAsync(run));
        }

        return TryJoin()!;
    }

    private async Task RunAsync(Run run)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        var stopping = run.Ends.Token;
        try
        {
            var (tick, wake) = (timer.WaitForNextTickAsync(stopping).AsTask(), _wakes.WaitAsync(stopping).AsTask());
            for (var turn = 0; !stopping.IsCancellationRequested; )
            {
                await TryAsync(run, () => ReadStoreAsync(run));
                if (tick.IsCompleted)
                {
                    tick = timer.WaitForNextTickAsync(stopping).AsTask();
                    await _refusals.StartAsync();
                    if (turn++ % TurnsBetweenNodes == 0)
                    {
                        await TryAsync(run, () => ReadNodesAsync(run));
                    }
                }

                if (wake.IsCompleted)
                {
                    wake = _wakes.WaitAsync(stopping).AsTask();
                }

                await Task.WhenAny(tick, wake);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nobody follows any more.
        }
    }

    // What went wrong once is tried again a second later. Events that were not read then are read later, and none is left out.
    private async Task TryAsync(Run run, Func<Task> read)
    {
        try
        {
            await read();
            run.IsFailing = false;
        }
        catch (StoreUnavailableException)
        {
            // Whoever needs the store for a request says that it is away.
        }
        catch (Exception exception)
        {
            if (!run.IsFailing)
            {
                run.IsFailing = true;
                _logger.WorkFailed(exception, nameof(EventFeed));
            }
        }
    }

    private async Task ReadStoreAsync(Run run)
    {
        for (var hasMore = true; hasMore; )
        {
            var page = await _store.ListAsync(run.Last);
            hasMore = page.HasMore;
            if (!page.IsKnown)
            {
                Publish(run, () => Lost(page.UpTo));
            }

            foreach (var happened in page.Events)
            {
                Publish(run, () => AdminEvent.Of(happened));
            }

            lock (_lock)
            {
                run.Last = page.UpTo;
            }
        }
    }

    private async Task ReadNodesAsync(Run run)
    {
        var nodes = await ListNodesAsync();
        if (!nodes.Select(node => node.Id).SequenceEqual(run.Nodes.Select(node => node.Id)))
        {
            run.Nodes = nodes;
            Publish(run, () => AdminEvent.Of(nodes));
        }
    }

    private async Task<FleetNode[]> ListNodesAsync() =>
        [
            .. (await _nodes.ListAsync())
                .Select(one => one.Node)
                .OrderBy(node => node.StartedAt)
                .ThenBy(node => node.Id, StringComparer.Ordinal),
        ];

    /// <summary>What tells that nobody knows what came after the last event that was seen.</summary>
    public static AdminEvent Lost(string last) =>
        AdminEvent.ToAll(
            AdminEvent.Reset,
            last,
            new ReasonEvent("What came after the last event is not known any more: read everything anew."),
            AdminJson.Wire.ReasonEvent
        );

    private void Publish(Run? run, Func<AdminEvent> make)
    {
        if (run is null)
        {
            return;
        }

        var one = make();
        lock (_lock)
        {
            if (!ReferenceEquals(run, _run))
            {
                return;
            }

            // Together, so that who joins meanwhile misses nothing between the two.
            _ring[_next++ % Capacity] = one;
            run.Last = one.Id ?? run.Last;
            _more.SetResult();
            _more = NewSignal();
        }
    }

    /// <summary>The time in which there are some who follow.</summary>
    private sealed class Run(string last, FleetNode[] nodes)
    {
        public CancellationTokenSource Ends { get; } = new();

        /// <summary>Gets or sets the id of the last event that is in the ring.</summary>
        public string Last { get; set; } = last;

        /// <summary>Gets or sets the nodes that were told last.</summary>
        public FleetNode[] Nodes { get; set; } = nodes;

        public bool IsFailing { get; set; }
    }
}

/// <summary>From where on somebody follows.</summary>
/// <param name="Last">The id of the last event before it.</param>
/// <param name="From">The place in the ring.</param>
/// <param name="Nodes">The nodes that there are.</param>
internal sealed record EventPlace(string Last, long From, AdminEvent Nodes);
