using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Audit;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Fleet;

/// <summary>Who follows events at one node is told of what happens at all of them.</summary>
[Tier(Tier.Process)]
public sealed class FleetEventsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_another_node_changes_finds_and_refuses_is_told_with_its_name_and_a_stream_can_be_taken_up_at_any_node()
    {
        var validator = new GatedValidator();
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (_, services) => services.AddSingleton<ITenantValidator>(validator)
        );
        var ids = nodes.Nodes.Select(node => node.Services.GetRequiredService<RedisConnection>().NodeId).ToArray();
        var (here, begin) = await AdminEventReader.BeginAsync(nodes[0]);
        await using var _ = here;
        Assert.Equal(ids[0], (string)begin.Data["node"]!);

        await nodes[1].AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" });
        var (change, before) = await here.UntilAsync("change", one => (string?)one["action"] == "tenant.changed");
        Assert.Equal(["name"], change.Data["changes"]!.AsArray().Select(one => (string)one!["field"]!));

        // Whichever node checked it last: this one does.
        validator.Answer("globex", GatedValidator.Permanent);
        await nodes[1].AdminAsync(HttpMethod.Post, "/globex/recheck");
        var (health, _) = await here.UntilAsync("health", one =>
            (string?)one["tenant"] == "globex" && (string?)one["health"] == "disabled"
        );
        Assert.Equal(ids[1], (string)health.Data["node"]!);

        using (var request = McpCalls.Post(nodes[1].Port, Way.Path, "acme", "acme.guess", McpCalls.Call("whoami")))
        {
            using var response = await nodes[1].Client.SendAsync(request, Token);
        }

        var (refusals, _) = await here.UntilAsync("refusals");
        Assert.Equal(ids[1], (string)refusals.Data["node"]!);
        Assert.Equal("BadCredentials", (string)refusals.Data["refusals"]![0]!["reason"]!);

        await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", new { name = "B" });
        var (there, resumed) = await AdminEventReader.BeginAsync(nodes[1], after: change.Id);
        await using var __ = there;
        Assert.Equal((ids[1], true), ((string)resumed.Data["node"]!, (bool)resumed.Data["resumed"]!));
        var (next, _) = await there.UntilAsync("change", one => (string?)one["action"] == "tenant.changed");
        Assert.Equal("B", (string)next.Data["changes"]![0]!["after"]!);

        await nodes[1].App.StopAsync(Token);
        var (left, _) = await here.UntilAsync("nodes", one => one["nodes"]!.AsArray().Count == 1);
        Assert.Equal(ids[0], (string)left.Data["nodes"]![0]!["id"]!);
    }

    [Fact]
    public async Task Who_comes_to_a_node_that_has_not_heard_of_what_was_seen_at_another_gets_nothing_twice()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false, services: (number, services) =>
        {
            if (number == 1)
            {
                services.AddSingleton<TimeProvider>(time);
            }
        });
        var (slow, _) = await AdminEventReader.BeginAsync(nodes[1]);
        await using var _ = slow;
        var (quick, _) = await AdminEventReader.BeginAsync(nodes[0]);
        using (await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" })) { }

        var (seen, _) = await quick.UntilAsync("change", one => (string?)one["action"] == "tenant.changed");
        await quick.DisposeAsync();
        var (again, begin) = await AdminEventReader.BeginAsync(nodes[1], after: seen.Id);
        await using var __ = again;
        Assert.True((bool)begin.Data["resumed"]!);
        using (await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", new { name = "B" })) { }

        var next = again.UntilAsync("change");
        await Poll.UntilAsync(() =>
        {
            time.Advance(Tenancy.Admin.EventFeed.Interval);
            return Task.FromResult(next.IsCompleted);
        });
        Assert.Equal("B", (string)(await next).Event.Data["changes"]![0]!["after"]!);
        await slow.UntilAsync("change", one => (string?)one["changes"]?[0]?["after"] == "A");
    }

    [Fact]
    public async Task What_happens_while_the_store_is_away_is_told_when_it_is_back_and_the_stream_stays()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        var (events, _) = await AdminEventReader.BeginAsync(nodes[0]);
        await using var _ = events;
        await nodes.Redis.ExecuteAsync("SAVE");
        await nodes.Redis.StopAsync();
        await using (var refused = await AdminEventReader.OpenAsync(nodes[1]))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Response.StatusCode);
        }

        await nodes.Redis.RestartAsync();
        await Poll.UntilAsync(async () =>
        {
            using var response = await nodes[1].AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" });
            return response.IsSuccessStatusCode;
        });
        await events.UntilAsync("change", one => (string?)one["action"] == "tenant.changed");
    }

    [Fact]
    public async Task The_last_10000_are_kept_and_who_saw_none_of_them_is_told_to_read_all_anew()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(count: 1);
        var (first, old) = await AdminEventReader.BeginAsync(nodes[0]);
        await first.DisposeAsync();
        var log = nodes[0].Services.GetRequiredService<AuditLog>();
        for (var i = 0; i < 101; i++)
        {
            await log.WriteAsync([.. Enumerable.Range(0, 100).Select(n => new AuditEntry("tenant.rechecked", $"t{n}", "system"))]);
        }

        var (again, begin) = await AdminEventReader.BeginAsync(nodes[0], after: old.Id);
        await using var _ = again;
        Assert.False((bool)begin.Data["resumed"]!);
        Assert.Equal("reset", (await again.NextAsync())!.Name);
        var events = nodes[0].Services.GetRequiredService<FleetEvents>();
        var last = FleetEvents.NumberOf(begin.Id!);
        Assert.False((await events.ListAsync(old.Id!)).IsKnown);
        Assert.True(last > 10_000, $"{last}");
    }

    [Fact]
    public async Task Where_the_store_has_lost_everything_who_follows_is_told_to_read_all_anew_and_follows_on()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(count: 1);
        var (events, _) = await AdminEventReader.BeginAsync(nodes[0]);
        await using var _ = events;
        await nodes.Redis.ExecuteAsync("FLUSHALL");
        await events.UntilAsync("reset");
        using (await nodes[0].AdminAsync(HttpMethod.Post, "", new { id = "initech" })) { }

        await events.UntilAsync("change", one => (string?)one["tenant"] == "initech");
    }
}
