using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>What nodes of a fleet see of each other's changes, as processes, each with a way to the store that the test controls.</summary>
[Tier(Tier.Process)]
public sealed class ProcessFleetTests(ProcessFleetTests.Three three) : IClassFixture<ProcessFleetTests.Three>
{
    private readonly ProcessFleet _fleet = three.Fleet;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_by_any_door_is_seen_by_all_in_a_moment()
    {
        var times = new List<TimeSpan>();
        for (var round = 0; round < 6; round++)
        {
            var (tenant, maker) = ($"door-{round}", round % 3);
            var token = await _fleet.RegisterAsync(maker, tenant);
            await SeenAsync(HttpStatusCode.OK);
            await _fleet.AdminAsync(maker, HttpMethod.Patch, $"/tenants/{tenant}", """{"status":"suspended"}""");
            await SeenAsync(HttpStatusCode.NotFound);
            await _fleet.AdminAsync(maker, HttpMethod.Patch, $"/tenants/{tenant}", """{"status":"active"}""");
            await SeenAsync(HttpStatusCode.OK);
            await _fleet.AdminAsync(maker, HttpMethod.Patch, $"/tenants/{tenant}", """{"limits":{"rateLimit":1}}""");
            await SeenAsync(HttpStatusCode.TooManyRequests);
            await _fleet.AdminAsync(maker, HttpMethod.Patch, $"/tenants/{tenant}", """{"limits":{"rateLimit":60000}}""");
            await SeenAsync(HttpStatusCode.OK);
            var principals = await _fleet.AdminAsync(maker, HttpMethod.Get, $"/tenants/{tenant}/principals");
            await _fleet.AdminAsync(maker, HttpMethod.Delete, $"/tenants/{tenant}/principals/{principals["principals"]![0]!["id"]}");
            await SeenAsync(HttpStatusCode.Unauthorized);
            await _fleet.AdminAsync(maker, HttpMethod.Post, $"/tenants/{tenant}/unregister");
            await SeenAsync(HttpStatusCode.NotFound);
            await _fleet.AdminAsync(maker, HttpMethod.Delete, $"/tenants/{tenant}");

            async Task SeenAsync(HttpStatusCode status)
            {
                foreach (var node in Enumerable.Range(0, 3).Where(node => node != maker))
                {
                    times.Add(await _fleet.UntilAsync(node, tenant, token, status));
                }
            }
        }

        var sorted = times.Order().ToArray();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"p50 {sorted[sorted.Length / 2].TotalMilliseconds:0.0} ms, p99 {sorted[sorted.Length * 99 / 100].TotalMilliseconds:0.0} ms"
        );

        // That the last hundredth takes less than that, too, is measured where nothing else runs: see benchmarks.
        Assert.InRange(sorted[sorted.Length / 2], TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_change_whose_messages_are_lost_is_seen_within_the_poll()
    {
        using var hearing = Hear(StoreLink.Hearing.Nothing);
        var token = await _fleet.RegisterAsync(0, "unheard");
        var times = new List<TimeSpan>();
        for (var i = 0; i < 4; i++)
        {
            var status = i % 2 == 0 ? HttpStatusCode.NotFound : HttpStatusCode.OK;
            await _fleet.UntilAsync(1, "unheard", token, status == HttpStatusCode.OK ? HttpStatusCode.NotFound : HttpStatusCode.OK);
            await _fleet.AdminAsync(
                0,
                HttpMethod.Patch,
                "/tenants/unheard",
                $$"""{"status":"{{(status == HttpStatusCode.OK ? "active" : "suspended")}}"}"""
            );
            times.Add(await _fleet.UntilAsync(1, "unheard", token, status));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", times.Select(time => $"{time.TotalMilliseconds:0} ms")));

        // The poll is a second; a busy machine takes some more.
        Assert.All(times, time => Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromSeconds(3)));

        // Nobody was told: some of them took longer than a message does.
        Assert.Contains(times, time => time > TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task Messages_that_come_twice_late_and_in_another_order_make_nobody_go_back()
    {
        await _fleet.RegisterAsync(0, "order");
        using var hearing = Hear(StoreLink.Hearing.Late);
        _fleet.Links[1].Hears = StoreLink.Hearing.Twice;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var watching = Enumerable.Range(0, 3).Select(node => WatchAsync(node, enough.Token)).ToArray();
        var last = 0L;
        for (var i = 0; i < 90; i++)
        {
            var answer = await _fleet.AdminAsync(i % 3, HttpMethod.Patch, "/tenants/order", $$"""{"name":"n{{i}}"}""");
            Assert.True((long)answer["version"]! > last);
            last = (long)answer["version"]!;
        }

        for (var node = 0; node < 3; node++)
        {
            var number = node;
            await Poll.UntilAsync(async () => await ListedVersionAsync(number) == last);
        }

        await enough.CancelAsync();
        var looks = await Task.WhenAll(watching);
        Assert.All(looks, count => Assert.True(count > 10, $"{count} looks"));
    }

    [Fact]
    public async Task Of_three_nodes_that_claim_one_url_a_thousand_times_one_has_it_each_time_and_the_others_are_told_who()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 1000),
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Token },
            async (round, _) =>
            {
                var answers = await Task.WhenAll(
                    Enumerable
                        .Range(0, 3)
                        .Select(node =>
                            _fleet
                                .Nodes[node]
                                .AdminAsync(
                                    HttpMethod.Post,
                                    "/tenants",
                                    $$"""{"id":"u{{round}}-{{node}}","urls":["https://u{{round}}.example"]}"""
                                )
                        )
                );
                var owner = Assert.Single(answers.Index(), answer => answer.Item.Status == HttpStatusCode.Created).Index;
                foreach (var answer in answers.Where(answer => answer.Status != HttpStatusCode.Created))
                {
                    Assert.Equal(HttpStatusCode.Conflict, answer.Status);
                    Assert.Contains($"u{round}-{owner}", answer.Body!.ToJsonString(), StringComparison.Ordinal);
                }
            }
        );
    }

    [Fact]
    public async Task A_node_that_cannot_reach_the_store_serves_what_it_has_and_follows_when_it_can()
    {
        var token = await _fleet.RegisterAsync(0, "behind");
        await _fleet.UntilAsync(2, "behind", token, HttpStatusCode.OK);
        _fleet.Links[2].CutOff();
        await _fleet.AdminAsync(0, HttpMethod.Post, "/tenants/behind/unregister");
        await _fleet.UntilAsync(1, "behind", token, HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.OK, await _fleet.Nodes[2].ReadyAsync());

        // It does not know, and cannot ask whose the token is.
        await _fleet.UntilAsync(2, "behind", token, HttpStatusCode.ServiceUnavailable);
        _fleet.Links[2].Mend();
        await _fleet.UntilAsync(2, "behind", token, HttpStatusCode.NotFound);
    }

    private async Task<int> WatchAsync(int node, CancellationToken enough)
    {
        var (seen, looks) = (0L, 0);
        while (!enough.IsCancellationRequested)
        {
            var version = await ListedVersionAsync(node);
            Assert.True(version >= seen, $"Node {node} went back from {seen} to {version}.");
            seen = version;
            looks++;
        }

        return looks;
    }

    // The list is the node's own copy. It may not have the tenant yet.
    private async Task<long> ListedVersionAsync(int node)
    {
        var listed = await _fleet.AdminAsync(node, HttpMethod.Get, "/tenants?text=order");
        return listed["tenants"]!.AsArray().FirstOrDefault(tenant => tenant!["id"]!.ToString() == "order") is { } order
            ? (long)order["version"]!
            : 0;
    }

    private Restored Hear(StoreLink.Hearing hearing)
    {
        foreach (var link in _fleet.Links)
        {
            link.Hears = hearing;
        }

        return new(() =>
        {
            foreach (var link in _fleet.Links)
            {
                link.Hears = StoreLink.Hearing.All;
            }
        });
    }

    private sealed class Restored(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }

    public sealed class Three : IAsyncLifetime
    {
        internal ProcessFleet Fleet { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Fleet = await ProcessFleet.StartAsync();

        public ValueTask DisposeAsync() => Fleet.DisposeAsync();
    }
}
