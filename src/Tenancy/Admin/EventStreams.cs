using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The open streams of <c>GET /admin/events</c>.</summary>
internal sealed class EventStreams(
    EventFeed feed,
    FleetEvents store,
    AuditLog audit,
    TenantRegistry registry,
    RedisConnection redis,
    Heartbeats heartbeats,
    ServingTime serving,
    TimeProvider time
)
{
    /// <summary>How many streams one key may have at a node.</summary>
    public const int MaxOfKey = 20;

    /// <summary>After how long a stream ends by itself, so that whoever follows shows again that it may.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    // Longer than anybody needs who reads at all.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // For the last word. A server that stops does not wait longer for who reads nothing.
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, int> _open = new(StringComparer.Ordinal);

    /// <summary>Takes a place for a stream of a key; false where it has as many as it may.</summary>
    public bool TryEnter(string key) => _open.AddOrUpdate(key, 1, static (_, count) => count + 1) <= MaxOfKey || !Leave(key);

    /// <summary>Gives the place back.</summary>
    public bool Leave(string key)
    {
        if (_open.AddOrUpdate(key, 0, static (_, count) => count - 1) == 0)
        {
            _open.TryRemove(new(key, 0));
        }

        return true;
    }

    /// <summary>Tells of what happens until the client goes, the server stops, the stream is old, or too much of it was not read.</summary>
    /// <param name="http">The request.</param>
    /// <param name="after">The id of the last event that was seen; null for what happens from now on.</param>
    /// <param name="only">The one tenant that it may be told of; null for all.</param>
    /// <exception cref="StoreUnavailableException">The store is away, and nothing was answered.</exception>
    public async Task RunAsync(HttpContext http, string? after, TenantId? only)
    {
        var place = await feed.JoinAsync(http.RequestAborted);
        try
        {
            // What the ring is yet to have of what happened before now is past, and told as such.
            place = place with { Last = await store.GetLastAsync() };
            var missed = after is null || after == place.Last ? null : await store.ListAsync(after);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, serving.Ended);
            var writer = new EventWriter(http.Response, only, time, Patience);
            await TellAsync(writer, place, after, missed, ends.Token);
        }
        catch (Exception exception)
            when (exception is OperationCanceledException || (exception is StoreUnavailableException && http.Response.HasStarted))
        {
            // The client is gone, or reads nothing; or the store is away, and what was missed cannot be had now.
            http.Abort();
        }
        finally
        {
            feed.Leave();
        }
    }

    private async Task TellAsync(EventWriter writer, EventPlace place, string? after, FleetEventPage? missed, CancellationToken ends)
    {
        var began = time.GetTimestamp();
        writer.Begin();
        var isResumed = after is not null && missed?.IsKnown is not false;
        writer.Add(Begin(writer.Only, isResumed ? after! : place.Last, isResumed));
        if (after is not null && !isResumed)
        {
            writer.Add(EventFeed.Lost(place.Last));
        }

        writer.Add(place.Nodes);
        await writer.FlushAsync(ends);
        if (isResumed && missed is not null)
        {
            await TellMissedAsync(writer, missed, place.Last, ends);
        }

        var reason = await FollowAsync(writer, place.From, FleetEvents.NumberOf(place.Last), began, ends);
        writer.Add(AdminEvent.ToAll(AdminEvent.End, id: null, new ReasonEvent(reason), AdminJson.Wire.ReasonEvent));
        using var soon = new CancellationTokenSource(GoodbyeTime, time);
        await writer.FlushAsync(soon.Token);
    }

    /// <param name="writer">Writes what there is.</param>
    /// <param name="from">The place in the ring.</param>
    /// <param name="seen">The number of the last event that happened before: the ring may be yet to have it.</param>
    /// <param name="began">When the stream began.</param>
    /// <param name="ends">Ends it.</param>
    /// <returns>Why it ended.</returns>
    private async Task<string> FollowAsync(EventWriter writer, long from, long seen, long began, CancellationToken ends)
    {
        var said = time.GetTimestamp();
        while (true)
        {
            var (events, more) = feed.Read(from);
            if (events is null)
            {
                return "slow";
            }

            from += events.Count;
            foreach (var one in events)
            {
                // A store that has lost what it had counts anew.
                seen = one.Name == AdminEvent.Reset ? 0 : seen;
                if (one.Id is not { } id || one.Name == AdminEvent.Reset || FleetEvents.NumberOf(id) > seen)
                {
                    writer.Add(one);
                }
            }

            if (ends.IsCancellationRequested)
            {
                return "stop";
            }

            if (writer.HasSomething || time.GetElapsedTime(said) >= heartbeats.Interval)
            {
                await writer.FlushAsync(ends);
                said = time.GetTimestamp();
            }

            if (time.GetElapsedTime(began) >= Lifetime)
            {
                return "again";
            }

            var wait = heartbeats.Interval - time.GetElapsedTime(said);
            await more.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, ends)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellMissedAsync(EventWriter writer, FleetEventPage missed, string last, CancellationToken ends)
    {
        var upTo = FleetEvents.NumberOf(last);
        var own = writer.Only is { } tenant ? new MissedByOne(tenant, await BegunAsync(tenant)) : null;
        for (var page = missed; ; page = await store.ListAsync(page.UpTo))
        {
            if (!page.IsKnown)
            {
                // What came after the page before was dropped while that was written.
                writer.Add(EventFeed.Lost(last));
                return;
            }

            // What is later is in the ring.
            foreach (var happened in page.Events.Where(one => FleetEvents.NumberOf(one.Id) <= upTo))
            {
                if (own is null)
                {
                    writer.Add(AdminEvent.Of(happened));
                }
                else
                {
                    own.Add(happened);
                }
            }

            await writer.FlushAsync(ends);
            if (!page.HasMore || FleetEvents.NumberOf(page.UpTo) >= upTo)
            {
                break;
            }
        }

        foreach (var happened in own?.Events ?? [])
        {
            writer.Add(AdminEvent.Of(happened));
        }

        await writer.FlushAsync(ends);
    }

    // Where an older release registered it nobody knows since when it is there: then all there is is its own. Null where it is not there.
    private async Task<string?> BegunAsync(TenantId tenant) => registry.Get(tenant) is null ? null : await audit.BeginOfAsync(tenant) ?? "";

    private AdminEvent Begin(TenantId? only, string last, bool isResumed)
    {
        var all = only is null ? TenantSummary.Of(registry) : null;
        return AdminEvent.ToAll(
            AdminEvent.Begin,
            last,
            new BeginEvent(redis.NodeId, Release.Version, time.GetUtcNow(), isResumed, all?.Tenants, all?.Health),
            AdminJson.Wire.BeginEvent
        );
    }

    /// <summary>What a tenant missed: of those that had its id one after the other, what happened to the one that has it now.</summary>
    private sealed class MissedByOne(TenantId tenant, string? begun)
    {
        private readonly List<FleetEvent> _events = [];

        public IReadOnlyList<FleetEvent> Events => _events;

        public void Add(FleetEvent happened)
        {
            if (happened.Tenant != tenant.Value)
            {
                return;
            }

            if (happened.Change?.Entry.Action is AuditAction.TenantRegistered)
            {
                _events.Clear();
            }

            // An entry may be brought to the others a moment later than what came after it.
            if (begun is not null && (happened.Change is null || string.CompareOrdinal(happened.Change.Id, begun) >= 0))
            {
                _events.Add(happened);
            }
        }
    }
}
