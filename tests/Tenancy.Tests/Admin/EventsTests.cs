using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Admin;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests.Admin;

/// <summary>What happens, as <c>GET /admin/events</c> tells it, and whom it tells.</summary>
[Tier(Tier.Server)]
public sealed class EventsTests
{
    private const string Reader = "a-key-that-reads";
    private const string OfAcme = "a-key-of-acme";
    private const string ReaderOfInitech = "a-key-that-reads-initech";

    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:Admin:ReadKeys:0"] = Reader,
        ["Tenancy:Admin:TenantKeys:0"] = $"acme={OfAcme}",
        ["Tenancy:Admin:TenantReadKeys:0"] = $"initech={ReaderOfInitech}",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_begins_at_once_with_what_there_is_and_then_tells_each_change_as_the_audit_has_it()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (events, begin) = await AdminEventReader.BeginAsync(server, Reader);
        await using var _ = events;
        Assert.Equal("text/event-stream", events.Response.Content.Headers.ContentType?.MediaType);
        Assert.True(events.Response.Headers.CacheControl!.NoStore);
        Assert.Equal((2, 2, false), ((int)begin.Data["tenants"]!, (int)begin.Data["health"]!["healthy"]!, (bool)begin.Data["resumed"]!));
        var (nodes, _) = await events.UntilAsync("nodes");
        Assert.Null(nodes.Id);
        Assert.Contains((string)begin.Data["node"]!, nodes.Data["nodes"]!.AsArray().Select(node => (string)node!["id"]!));

        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" });
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" });
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "active" });
        var issued = await ReadAsync(await server.AdminAsync(HttpMethod.Post, "/globex/principals", new { name = "second" }));
        await server.AdminAsync(HttpMethod.Delete, $"/globex/principals/{issued["id"]}");
        await server.AdminAsync(HttpMethod.Post, "", new { id = "initech" });
        await server.AdminAsync(HttpMethod.Post, "/initech/unregister");
        var changes = await events.TakeAsync("change", 7);
        Assert.Equal(
            [
                "tenant.changed acme",
                "tenant.suspended acme",
                "tenant.resumed acme",
                "principal.issued globex",
                "principal.revoked globex",
                "tenant.registered initech",
                "tenant.unregistered initech",
            ],
            changes.Select(change => $"{change.Data["action"]} {change.Data["tenant"]}")
        );
        var audit = (await ReadAsync(await GetAsync(server, "/admin/audit?take=7")))["entries"]!.AsArray().Reverse();
        Assert.Equal(audit.Select(entry => entry!.ToJsonString()), changes.Select(change => change.Data.ToJsonString()));
        Assert.Distinct(changes.Select(change => change.Id));
    }

    [Fact]
    public async Task A_health_that_is_another_comes_with_its_reason_what_it_was_and_the_node_that_found_it()
    {
        var provider = new Provider();
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator>(provider)
        );
        await SettleAsync(server);
        var (events, begin) = await AdminEventReader.BeginAsync(server);
        await using var _ = events;
        provider.Failure = new TenantValidation.Permanent("The account is\nclosed.");
        await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        var (broken, _) = await events.UntilAsync("health");
        Assert.Equal(
            ("acme", "healthy", "disabled", (string)begin.Data["node"]!),
            ((string)broken.Data["tenant"]!, (string)broken.Data["before"]!, (string)broken.Data["health"]!, (string)broken.Data["node"]!)
        );
        var shown = await ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme"));
        Assert.Equal((string)shown["reason"]!, (string)broken.Data["reason"]!);
        Assert.Equal((string)shown["lastCheckedAt"]!, (string)broken.Data["at"]!);

        // The same finding again is no news.
        await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        provider.Failure = null;
        await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        var (repaired, _) = await events.UntilAsync("health");
        Assert.Equal(("disabled", "healthy"), ((string)repaired.Data["before"]!, (string)repaired.Data["health"]!));
        Assert.Null(repaired.Data["reason"]);
    }

    [Fact]
    public async Task A_change_that_repairs_a_tenant_tells_of_its_health_too()
    {
        var provider = new Provider { Failure = new TenantValidation.Permanent("No.") };
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator>(provider)
        );
        await Poll.UntilAsync(async () =>
            (string?)(await ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme")))["health"] == "disabled"
        );
        await SettleAsync(server);
        var (events, _) = await AdminEventReader.BeginAsync(server);
        await using var __ = events;
        provider.Failure = null;
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { settings = new { product = "another" } });
        var (change, _) = await events.UntilAsync("change");
        Assert.Equal("tenant.changed", (string)change.Data["action"]!);
        var (health, _) = await events.UntilAsync("health");
        Assert.Equal(("acme", "disabled", "healthy"), Of(health));

        static (string, string, string) Of(ReadEvent one) =>
            ((string)one.Data["tenant"]!, (string)one.Data["before"]!, (string)one.Data["health"]!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_comes_again_with_the_last_id_misses_nothing_and_gets_nothing_twice(bool byHeader)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (first, _) = await AdminEventReader.BeginAsync(server);
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "1" });
        var (seen, _) = await first.UntilAsync("change");
        await first.DisposeAsync();
        for (var i = 2; i <= 4; i++)
        {
            await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = $"{i}" });
        }

        var (again, begin) = byHeader
            ? await AdminEventReader.BeginAsync(server, after: seen.Id)
            : await AdminEventReader.BeginAsync(server, query: $"?after={seen.Id}");
        await using var _ = again;
        Assert.True((bool)begin.Data["resumed"]!);
        Assert.Equal(seen.Id, begin.Id);
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "5" });
        var names = (await again.TakeAsync("change", 4)).Select(change => (string)change.Data["changes"]![0]!["after"]!);
        Assert.Equal(["2", "3", "4", "5"], names);
    }

    [Fact]
    public async Task More_than_a_page_that_was_missed_comes_whole_and_in_order()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (first, begin) = await AdminEventReader.BeginAsync(server);
        await first.DisposeAsync();
        var entries = Enumerable.Range(0, 450).Select(i => new AuditEntry("tenant.rechecked", $"t{i}", "system")).ToArray();
        await server.Services.GetRequiredService<AuditLog>().WriteAsync(entries);
        var (again, _) = await AdminEventReader.BeginAsync(server, after: begin.Id);
        await using var _ = again;
        Assert.Equal(
            entries.Select(entry => entry.Tenant),
            (await again.TakeAsync("change", 450)).Select(change => (string)change.Data["tenant"]!)
        );
    }

    [Fact]
    public async Task Who_catches_up_while_what_comes_next_is_dropped_is_told_to_read_all_anew_and_follows_on()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (first, begin) = await AdminEventReader.BeginAsync(server);
        await first.DisposeAsync();

        // What reads for those who follow begins after the end, then, and misses nothing itself.
        await Poll.UntilAsync(() => Task.FromResult(!server.Services.GetRequiredService<EventFeed>().IsFollowed));
        var audit = server.Services.GetRequiredService<AuditLog>();
        await audit.WriteAsync([.. Enumerable.Range(0, 450).Select(i => new AuditEntry("tenant.rechecked", $"t{i}", "system"))]);

        // It has read the first page of what it missed, and its reader takes nothing yet.
        using var body = new GatedBody();
        using var ends = new CancellationTokenSource();
        var reader = new DefaultHttpContext { RequestAborted = ends.Token };
        reader.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        var running = server.Services.GetRequiredService<EventStreams>().RunAsync(reader, begin.Id, only: null);
        await body.Waits.WaitAsync(TimeSpan.FromSeconds(20), Token);
        var redis = server.Services.GetRequiredService<RedisConnection>();
        await redis.RemoveAsync(FleetKeyspace.Events, await redis.GetFirstAsync(FleetKeyspace.Events, 300));
        var last = await server.Services.GetRequiredService<FleetEvents>().GetLastAsync();
        body.Open();
        await Poll.UntilAsync(() => Task.FromResult(body.Text.Contains("event: reset", StringComparison.Ordinal)));

        var text = body.Text;
        Assert.Contains("\"resumed\":true", text, StringComparison.Ordinal);
        Assert.Contains("\"t199\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"t200\"", text, StringComparison.Ordinal);
        Assert.Contains($"id: {last}\nevent: reset\n", text, StringComparison.Ordinal);
        await audit.WriteAsync([new AuditEntry("tenant.rechecked", "later", "system")]);
        await Poll.UntilAsync(() => Task.FromResult(body.Text.Contains("\"later\"", StringComparison.Ordinal)));
        Assert.DoesNotContain("\"t449\"", body.Text, StringComparison.Ordinal);
        await ends.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Theory]
    [InlineData("1-1")]
    [InlineData("999999-1764489600000000")]
    public async Task Who_comes_with_an_id_that_the_store_does_not_have_is_told_to_read_all_anew(string gone)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (again, begin) = await AdminEventReader.BeginAsync(server, after: gone);
        await using var _ = again;
        Assert.False((bool)begin.Data["resumed"]!);
        var reset = await again.NextAsync();
        Assert.Equal(("reset", begin.Id), (reset!.Name, reset.Id));
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = gone });
        var (change, before) = await again.UntilAsync("change");
        Assert.Equal(gone, (string)change.Data["changes"]![0]!["after"]!);
        Assert.All(before, one => Assert.Contains(one.Name, new[] { "nodes", "refusals" }));
    }

    [Fact]
    public async Task A_key_of_one_tenant_is_told_of_that_tenant_alone_live_and_afterwards()
    {
        var provider = new Provider();
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator>(provider)
        );
        await SettleAsync(server);
        var (events, begin) = await AdminEventReader.BeginAsync(server, OfAcme);
        Assert.Null(begin.Data["tenants"]);
        Assert.Null(begin.Data["health"]);
        provider.Failure = new TenantValidation.Permanent("No.");
        await server.AdminAsync(HttpMethod.Post, "/globex/recheck");
        await server.AdminAsync(HttpMethod.Patch, "/globex", new { name = "secret name" });
        await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" });
        await AssertOwnAsync(events);
        var (again, resumed) = await AdminEventReader.BeginAsync(server, OfAcme, after: begin.Id);
        Assert.True((bool)resumed.Data["resumed"]!);
        await AssertOwnAsync(again);

        // Refusals of both come in one event to who may see both.
        var (all, _) = await AdminEventReader.BeginAsync(server);
        var (own, _) = await AdminEventReader.BeginAsync(server, OfAcme);
        server
            .Services.GetRequiredService<RefusalFeed>()
            .Tell([new("globex", "BadCredentials", 401, 3), new("acme", "BadCredentials", 401, 2), new(null, "NoAdminKey", 401, 1)]);
        var (both, _) = await all.UntilAsync("refusals", one => one["refusals"]!.AsArray().Count == 3);
        var (mine, skipped) = await own.UntilAsync("refusals");
        Assert.Equal(["acme"], mine.Data["refusals"]!.AsArray().Select(one => (string?)one!["tenant"]));
        Assert.Empty(skipped);
        await all.DisposeAsync();
        await own.DisposeAsync();

        // The health is written behind the check, so that it may come after the change that followed.
        static async Task AssertOwnAsync(AdminEventReader read)
        {
            ReadEvent[] own = [(await read.NextAsync())!, (await read.NextAsync())!, (await read.NextAsync())!];
            await read.DisposeAsync();
            Assert.Equal(["change", "change", "health"], own.Select(one => one.Name).Order(StringComparer.Ordinal));
            Assert.All(own, one => Assert.Equal("acme", (string)one.Data["tenant"]!));
        }
    }

    [Fact]
    public async Task The_next_tenant_with_an_id_is_not_told_of_the_one_that_had_it_before()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (first, old) = await AdminEventReader.BeginAsync(server, ReaderOfInitech);
        await first.DisposeAsync();
        await server.AdminAsync(HttpMethod.Post, "", new { id = "initech", name = "Former" });
        await server.AdminAsync(HttpMethod.Patch, "/initech", new { name = "Former secret" });
        await server.AdminAsync(HttpMethod.Post, "/initech/principals", new { name = "theirs" });
        await server.AdminAsync(HttpMethod.Delete, "/initech");

        // While nobody has it, nothing of it is told.
        var (none, _) = await AdminEventReader.BeginAsync(server, ReaderOfInitech, after: old.Id);
        await server.AdminAsync(HttpMethod.Post, "", new { id = "initech", name = "Later" });
        var (change, before) = await none.UntilAsync("change");
        Assert.Empty(before);
        Assert.Equal("tenant.registered", (string)change.Data["action"]!);
        Assert.Contains("Later", change.Data.ToJsonString(), StringComparison.Ordinal);
        await none.DisposeAsync();

        var (later, _) = await AdminEventReader.BeginAsync(server, ReaderOfInitech, after: old.Id);
        await using var _ = later;
        (change, before) = await later.UntilAsync("change");
        Assert.Empty(before);
        Assert.Equal(
            ("tenant.registered", true),
            ((string)change.Data["action"]!, change.Data.ToJsonString().Contains("Later", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData(null, "", HttpStatusCode.Unauthorized)]
    [InlineData("guess", "", HttpStatusCode.Unauthorized)]
    [InlineData(Reader, "?after=x", HttpStatusCode.BadRequest)]
    [InlineData(Reader, "?after=1-", HttpStatusCode.BadRequest)]
    [InlineData(Reader, "?after=1-1%0A", HttpStatusCode.BadRequest)]
    [InlineData(Reader, "?tenant=globex", HttpStatusCode.BadRequest)]
    [InlineData(OfAcme, "?tenant=globex", HttpStatusCode.BadRequest)]
    public async Task Who_may_not_ask_or_asks_wrongly_is_told_so_and_no_stream_begins(string? key, string query, HttpStatusCode status)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await using var events = await AdminEventReader.OpenAsync(server, key, query: query);
        Assert.Equal(status, events.Response.StatusCode);
        Assert.Equal("application/problem+json", events.Response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task An_id_in_the_header_that_can_be_none_is_refused_by_name()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await using var events = await AdminEventReader.OpenAsync(server, after: "7");
        Assert.Equal(HttpStatusCode.BadRequest, events.Response.StatusCode);
        Assert.Contains("Last-Event-ID", await events.ReadRestAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_has_so_many_streams_and_another_key_has_its_own()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var open = new List<AdminEventReader>();
        for (var i = 0; i < EventStreams.MaxOfKey; i++)
        {
            open.Add((await AdminEventReader.BeginAsync(server, OfAcme)).Events);
        }

        await using (var refused = await AdminEventReader.OpenAsync(server, OfAcme))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Response.StatusCode);
            Assert.NotNull(refused.Response.Headers.RetryAfter);
        }

        await using (var other = (await AdminEventReader.BeginAsync(server, Reader)).Events)
        {
            Assert.Equal(HttpStatusCode.OK, other.Response.StatusCode);
        }

        await open[0].DisposeAsync();
        await Poll.UntilAsync(async () =>
        {
            await using var next = await AdminEventReader.OpenAsync(server, OfAcme);
            return next.Response.StatusCode == HttpStatusCode.OK;
        });
        foreach (var one in open)
        {
            await one.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_refused_is_told_within_seconds_by_tenant_and_reason_each_request_once()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var (events, begin) = await AdminEventReader.BeginAsync(server);
        await using var _ = events;
        for (var i = 0; i < 5; i++)
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", "acme.guess", McpCalls.Call("whoami"));
            using var response = await server.Client.SendAsync(request, Token);
        }

        var count = 0L;
        while (count < 5)
        {
            var (refusals, _) = await events.UntilAsync("refusals");
            Assert.Null(refusals.Id);
            Assert.Equal((string)begin.Data["node"]!, (string)refusals.Data["node"]!);
            count += refusals.Data["refusals"]!
                .AsArray()
                .Where(one => (string?)one!["tenant"] == "acme" && (string?)one["reason"] == "BadCredentials" && (int)one["status"]! == 401)
                .Sum(one => (long)one!["count"]!);
        }

        Assert.Equal(5, count);
        Assert.Empty(server.Services.GetRequiredService<RefusalCounts>().TakeNews());
    }

    [Fact]
    public async Task A_server_that_stops_says_so_and_ends_the_streams()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var (events, _) = await AdminEventReader.BeginAsync(server);
        await using var _ = events;
        var stopping = server.App.StopAsync(Token);
        var (end, _) = await events.UntilAsync("end");
        Assert.Equal("stop", (string)end.Data["reason"]!);
        Assert.Null(await events.NextAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task A_silent_stream_has_comments_and_an_old_one_ends_so_that_its_key_is_judged_again()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        await SettleAsync(server);
        var (events, _) = await AdminEventReader.BeginAsync(server);
        await using var _ = events;
        var ended = events.UntilAsync("end");
        await Poll.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(15));
            return Task.FromResult(ended.IsCompleted);
        });
        Assert.Equal("again", (string)(await ended).Event.Data["reason"]!);
        Assert.True(events.Comments > 2, $"{events.Comments} comments");
    }

    [Fact]
    public async Task Who_reads_too_slowly_is_cut_with_a_reason_and_others_are_not()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var (quick, _) = await AdminEventReader.BeginAsync(server);
        await using var _ = quick;
        using var body = new GatedBody();
        var slow = new DefaultHttpContext();
        slow.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        var running = server.Services.GetRequiredService<EventStreams>().RunAsync(slow, after: null, only: null);
        await body.Waits.WaitAsync(TimeSpan.FromSeconds(20), Token);
        var feed = server.Services.GetRequiredService<RefusalFeed>();
        for (var i = 0; i < EventFeed.Capacity + 1; i++)
        {
            feed.Tell([new("acme", $"reason{i}", 401, 1)]);
            if (i % 100 == 0)
            {
                await quick.UntilAsync("refusals", one => (string?)one["refusals"]![0]!["reason"] == $"reason{i}");
            }
        }

        body.Open();
        await running.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.EndsWith("event: end\ndata: {\"reason\":\"slow\"}\n\n", body.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_is_asked_only_while_somebody_follows()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var asked = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "db.client.operation.duration" && instrument.Meter.Name == TenancyTelemetry.MeterName)
                {
                    self.EnableMeasurementEvents(instrument, server.Services.GetRequiredService<RedisConnection>());
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(
            (_, _, tags, _) =>
            {
                if (tags.ToArray().Any(tag => tag.Value is "event-list"))
                {
                    Interlocked.Increment(ref asked);
                }
            }
        );
        listener.Start();
        var (events, _) = await AdminEventReader.BeginAsync(server);
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref asked) > 2));
        await events.DisposeAsync();
        await Poll.UntilAsync(() => Task.FromResult(!server.Services.GetRequiredService<EventFeed>().IsFollowed));
        var until = Volatile.Read(ref asked);
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" });
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "B" });

        // One that was under way may have ended after that.
        Assert.InRange(Volatile.Read(ref asked) - until, 0, 1);
    }

    [Fact]
    public async Task Scopes_that_are_opened_are_no_events_so_that_they_push_none_out()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await SettleAsync(server);
        var (events, _) = await AdminEventReader.BeginAsync(server);
        await using var _ = events;
        server.Services.GetRequiredService<TenantScopes>().Open(TenantId.Parse("acme"), "nightly", "account-1");
        await server.Services.GetRequiredService<Tenancy.Fleet.AuditWriter>().WriteAsync(all: false);
        await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = "A" });
        Assert.Equal("tenant.changed", (string)(await events.UntilAsync("change")).Event.Data["action"]!);
    }

    // The first checks of the tenants are events, too.
    private static Task SettleAsync(TenancyServer server) =>
        Poll.UntilAsync(async () =>
        {
            var page = await server.Services.GetRequiredService<FleetEvents>().ListAsync("0-0");
            return page.Events.Count(one => one.Health is not null) >= 2;
        });

    private static Task<HttpResponseMessage> GetAsync(TenancyServer server, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        return server.Client.SendAsync(request, Token);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            return JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        }
    }

    private sealed class Provider : ITenantValidator
    {
        public volatile TenantValidation? Failure;

        public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
            new(Failure ?? TenantValidation.Valid.Instance);
    }

    private sealed class GatedBody : MemoryStream
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waits => _waits.Task;

        public string Text
        {
            get
            {
                lock (_open)
                {
                    return Encoding.UTF8.GetString(ToArray());
                }
            }
        }

        public void Open() => _open.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _waits.TrySetResult();
            await _open.Task.WaitAsync(cancellationToken);
            lock (_open)
            {
                base.Write(buffer.Span);
            }
        }
    }
}
