using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>
/// Nodes that hold slices of one limit: however requests, idle times, changes of the limit and what is given back fall, no window of time
/// has more than
/// the limit and what the rate gives back within it. The store's part is played by its stand-in, which <see cref="RateLimitScriptTests"/>
/// compares with it.
/// </summary>
public sealed class LimitSliceTests
{
    private static readonly TenantId Tenant = TenantId.Parse("acme");
    private static readonly int[] Limits = [1, 2, 5, 20, 60, 119, 120, 150, 250, 600, 1000, 6000, 60_000, 1_000_000];

    private static readonly Gen<TimeSpan> Pause = Gen.Frequency(
        (6, Gen.Long[0, 30_000].Select(TimeSpan.FromMicroseconds)),
        (3, Gen.Long[0, 2_500_000].Select(TimeSpan.FromMicroseconds)),
        (1, Gen.Long[0, 90_000_000].Select(TimeSpan.FromMicroseconds))
    );

    private static readonly Gen<Step> Steps = Gen.Select(Pause, Gen.Int[0, 4], Gen.Int[0, 9], Gen.Double[0, 1], (pause, node, kind, size) =>
        new Step(pause, node, kind, size)
    );

    [Fact]
    public void Over_any_window_all_nodes_together_let_no_more_through_than_the_limit_and_the_rate() =>
        Gen.Select(OneOf(Limits), Gen.Int[1, 5], Steps.Array[20, 150])
            .Sample(
                (limit, nodes, steps) =>
                {
                    var fleet = new Fleet(nodes);
                    var let = new List<TimeSpan>();
                    foreach (var step in steps)
                    {
                        fleet.Advance(step.Pause);
                        var node = fleet.Nodes[step.Node % nodes];
                        for (var i = step.Requests(limit); i > 0; i--)
                        {
                            if (node.Acquire(RateLimit.Tenant(limit)) && !(step.IsGivenBack && node.GiveBack(RateLimit.Tenant(limit))))
                            {
                                let.Add(fleet.Time);
                            }
                        }
                    }

                    AssertNeverMore(let, limit, limit);
                },
                iter: 3000
            );

    [Fact]
    public void A_limit_that_changes_counts_everywhere_within_a_second() =>
        Gen.Select(OneOf(Limits).Array[2, 4], Gen.Int[1, 5], Steps.Array[20, 120])
            .Sample(
                (limits, nodes, steps) =>
                {
                    var fleet = new Fleet(nodes);
                    var (all, since) = (new List<TimeSpan>(), new List<TimeSpan>());
                    var (current, changedAt) = (0, TimeSpan.MinValue);
                    foreach (var (i, step) in steps.Index())
                    {
                        fleet.Advance(step.Pause);
                        if (i * limits.Length / steps.Length != current)
                        {
                            AssertNeverMore(since, limits[current], limits[current]);
                            since.Clear();
                            (current, changedAt) = (i * limits.Length / steps.Length, fleet.Time);
                        }

                        var limit = RateLimit.Tenant(limits[current]);
                        for (var requests = step.Requests(limits[current]); requests > 0; requests--)
                        {
                            if (fleet.Nodes[step.Node % nodes].Acquire(limit))
                            {
                                all.Add(fleet.Time);
                                if (fleet.Time >= changedAt + TimeSpan.FromSeconds(1))
                                {
                                    since.Add(fleet.Time);
                                }
                            }
                        }
                    }

                    AssertNeverMore(since, limits[current], limits[current]);
                    AssertNeverMore(all, limits.Max(), limits.Max());
                },
                iter: 3000
            );

    [Fact]
    public void Together_nodes_reach_a_limit_that_is_full_exactly_and_none_of_it_is_lost() =>
        Gen.Select(OneOf(Limits).Where(limit => limit <= 6000), Gen.Int[1, 5], Steps.Array[0, 40])
            .Sample(
                (limit, nodes, steps) =>
                {
                    var fleet = new Fleet(nodes);
                    foreach (var step in steps)
                    {
                        fleet.Advance(step.Pause);
                        for (var i = step.Requests(limit); i > 0; i--)
                        {
                            fleet.Nodes[step.Node % nodes].Acquire(RateLimit.Tenant(limit));
                        }
                    }

                    // What a node was lent and did not spend counts as spent when its time is over, at the latest two seconds later.
                    fleet.Advance(TimeSpan.FromSeconds(63));
                    var let = 0;
                    for (var (i, refusals) = (0, 0); refusals < nodes; i++)
                    {
                        var isLet = fleet.Nodes[i % nodes].Acquire(RateLimit.Tenant(limit));
                        (let, refusals) = isLet ? (let + 1, 0) : (let, refusals + 1);
                    }

                    Assert.Equal(limit, let);
                },
                iter: 1000
            );

    [Theory]
    [InlineData(120)]
    [InlineData(1000)]
    [InlineData(60_000)]
    public void Who_stays_below_the_rate_is_never_refused_and_who_is_above_it_gets_all_of_it(int limit)
    {
        foreach (var (load, nodes) in new[] { (0.5, 1), (0.95, 1), (0.95, 4), (3, 1), (3, 4) })
        {
            var fleet = new Fleet(nodes);
            var pause = TimeSpan.FromMicroseconds(RateLimit.Tenant(limit).Interval / load);
            var (let, refused, most) = (0, 0, limit < 10_000 ? 6 * limit : 3 * limit);
            for (var i = 0; i < most * load; i++)
            {
                fleet.Advance(pause);
                _ = fleet.Nodes[i % nodes].Acquire(RateLimit.Tenant(limit)) ? let++ : refused++;
            }

            if (load < 1)
            {
                Assert.Equal(0, refused);
            }
            else
            {
                Assert.InRange(let, (limit + most) * 0.98, limit + most);
            }
        }
    }

    [Fact]
    public void A_request_that_one_limit_refuses_spends_nothing_of_the_others()
    {
        var fleet = new Fleet(1);
        var (tenant, greedy, other) = (RateLimit.Tenant(1000), RateLimit.Caller("greedy", 300), RateLimit.Caller("other", 1000));
        Assert.Equal(300, Enumerable.Range(0, 2000).Count(_ => fleet.Nodes[0].Acquire(tenant, greedy)));
        Assert.Equal(700, Enumerable.Range(0, 2000).Count(_ => fleet.Nodes[0].Acquire(tenant, other)));
    }

    [Fact]
    public void What_is_lent_is_spent_once_however_many_threads_ask()
    {
        var (time, limit) = (new FakeTimeProvider(), RateLimit.Tenant(60_000));
        var slice = new LimitSlice(time.GetElapsedTime(0));
        var store = new LocalRateLimiter(time);
        var (lent, lentInAll) = (0, 0);
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            while (slice.TryTake(limit, time.GetElapsedTime(0), out _))
            {
                // It is spent, so that the next trip asks for more.
            }

            var trip = new LimitTrip([limit], [slice], 1, isLocal: false, time.GetElapsedTime(0));
            var answer = store.Take(Tenant, 1, trip.Asks);
            trip.Settle(answer, time.GetElapsedTime(0));
            lent = answer.Grants[0].Lent;
            lentInAll += lent;
        }

        Assert.InRange(lent, 10, 1000);
        var taken = 0;
        Parallel.For(0, 50_000, _ => Interlocked.Add(ref taken, slice.TryTake(limit, time.GetElapsedTime(0), out var _) ? 1 : 0));
        Assert.Equal(lent, taken);

        // What is given back has room only in what was lent.
        Parallel.For(0, 50_000, _ => slice.TryGiveBack(limit, time.GetElapsedTime(0)));
        Parallel.For(0, 50_000, _ => Interlocked.Add(ref taken, slice.TryTake(limit, time.GetElapsedTime(0), out var _) ? 1 : 0));
        Assert.Equal(lent + lentInAll, taken);
    }

    [Fact]
    public void A_busy_node_asks_a_few_times_a_second_and_an_idle_one_holds_nothing()
    {
        var fleet = new Fleet(1);
        var limit = RateLimit.Tenant(60_000);
        var trips = new List<int>();
        for (var second = 0; second < 10; second++)
        {
            var before = fleet.Nodes[0].Trips;
            for (var i = 0; i < 1000; i++)
            {
                fleet.Advance(TimeSpan.FromMilliseconds(1));
                Assert.True(fleet.Nodes[0].Acquire(limit));
            }

            trips.Add(fleet.Nodes[0].Trips - before);
        }

        Assert.InRange(trips[0], 1, 8);
        Assert.All(trips.Skip(1), count => Assert.InRange(count, 1, 3));

        // A request now and then is a trip each, and what it asks for is what it needs.
        for (var i = 0; i < 10; i++)
        {
            fleet.Advance(TimeSpan.FromSeconds(5));
            var before = fleet.Nodes[0].Trips;
            Assert.True(fleet.Nodes[0].Acquire(limit));
            Assert.Equal(1, fleet.Nodes[0].Trips - before);
            Assert.False(i > 0 && fleet.Nodes[0].IsHolding(limit));
        }
    }

    private static Gen<int> OneOf(int[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    // In terms of GCRA: what was let through never fills more than the span. That is the same as the sum over each window.
    private static void AssertNeverMore(List<TimeSpan> let, int limit, int rate)
    {
        var (filled, span) = (0.0, RateLimit.Tenant(limit).Span);
        for (var i = 0; i < let.Count; i++)
        {
            filled = Math.Max(0, filled - (i == 0 ? 0 : (let[i] - let[i - 1]).TotalMicroseconds)) + RateLimit.Tenant(rate).Interval;
            Assert.True(filled <= span, $"At {let[i]}, {filled / RateLimit.Tenant(rate).Interval} requests are more than {limit}.");
        }
    }

    private sealed record Step(TimeSpan Pause, int Node, int Kind, double Size)
    {
        public bool IsGivenBack => Kind == 0;

        public int Requests(int limit) => Kind < 5 ? 1 : Math.Clamp((int)(Size * Math.Min(limit, 400) * (Kind == 9 ? 1.5 : 0.2)), 1, 400);
    }

    /// <summary>Nodes with one clock and one store.</summary>
    private sealed class Fleet
    {
        private readonly FakeTimeProvider _time = new();

        public Fleet(int nodes)
        {
            var store = new LocalRateLimiter(_time);
            Nodes = [.. Enumerable.Range(0, nodes).Select(_ => new Node(store, _time))];
        }

        public Node[] Nodes { get; }

        public TimeSpan Time => _time.GetElapsedTime(0);

        public void Advance(TimeSpan by) => _time.Advance(by);
    }

    private sealed class Node(LocalRateLimiter store, TimeProvider time)
    {
        private readonly Dictionary<string, LimitSlice> _slices = [];

        public int Trips { get; private set; }

        private TimeSpan Now => time.GetElapsedTime(0);

        public bool Acquire(params RateLimit[] limits)
        {
            if (limits is [var only] && SliceOf(only).TryTake(only, Now, out _))
            {
                return true;
            }

            var trip = new LimitTrip(limits, [.. limits.Select(SliceOf)], 1, isLocal: false, Now);
            Trips++;
            trip.Settle(trip.Asks.Length == 0 ? trip.Granted : store.Take(Tenant, 1, trip.Asks), Now);
            return trip.Through == 1;
        }

        public bool GiveBack(RateLimit limit)
        {
            if (!SliceOf(limit).TryGiveBack(limit, Now))
            {
                store.GiveBack(Tenant, [limit]);
            }

            return true;
        }

        public bool IsHolding(RateLimit limit) => SliceOf(limit).TryTake(limit, Now, out _);

        private LimitSlice SliceOf(RateLimit limit)
        {
            var key = limit.Policy + limit.Subject;
            return _slices.TryGetValue(key, out var slice) ? slice : _slices[key] = new(Now);
        }
    }
}
