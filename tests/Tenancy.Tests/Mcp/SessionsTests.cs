using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Sessions lie in the store: counted per tenant and caller, good on every node, and gone when they should be.</summary>
[Tier(Tier.Process)]
public sealed class SessionsTests
{
    private const string Second = "acme.second";

    private static readonly TenantId Acme = TenantId.Parse("acme");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "second",
            ["Tenancy:Tenants:0:principals:1:token"] = Second,
        };

    [Fact]
    public async Task Of_a_rush_at_two_nodes_the_quota_is_there_and_a_neighbour_notices_nothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await TenancyServer.StartAsync(settings: Settings, redis: redis);
        await LimitAsync(one, 10);
        await using var two = await TenancyServer.StartAsync(settings: Settings, redis: redis);
        var rush = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => BeginAsync(i % 2 == 0 ? one : two, "acme", i % 4 < 2 ? McpCalls.Acme : Second))
        );
        Assert.InRange(rush.Count(answer => answer.Status == HttpStatusCode.OK), 10, 39);
        Assert.InRange((int)(await ListAsync(two, "acme"))["count"]!, 2, 10);
        Assert.All(rush.Where(answer => answer.Status != HttpStatusCode.OK), answer =>
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status);
            Assert.Equal(-32029, (int)answer.Body["error"]!["code"]!);
            Assert.Null(answer.SessionId);
        });
        Assert.Equal(HttpStatusCode.OK, (await BeginAsync(one, "globex", McpCalls.Globex)).Status);

        // Each is its caller's alone, or has made room for a later one.
        Assert.All(
            await Task.WhenAll(
                rush.Where(answer => answer.SessionId is not null)
                    .Select(
                        (answer, i) =>
                            Task.WhenAll(
                                StatusAsync(i % 2 == 0 ? one : two, McpCalls.Acme, answer.SessionId!),
                                StatusAsync(i % 2 == 0 ? two : one, Second, answer.SessionId!)
                            )
                    )
            ),
            statuses => Assert.Contains(HttpStatusCode.NotFound, statuses)
        );
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task One_caller_has_at_most_half_of_its_tenants_sessions_rounded_up(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store, Settings);
        await LimitAsync(server, 5);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await BeginAsync(server, "acme", McpCalls.Acme)).Status);
        }

        Assert.Equal(3, (int)(await ListAsync(server, "acme"))["count"]!);

        // What the first one has is not the second one's to end.
        var others = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => BeginAsync(server, "acme", Second)));
        Assert.Equal(2, others.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(5, (int)(await ListAsync(server, "acme"))["count"]!);
        Assert.Contains(
            "one caller half of that",
            (string)others.First(answer => answer.Status == HttpStatusCode.TooManyRequests).Body["error"]!["message"]!,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task At_its_limit_a_callers_longest_unused_session_without_a_stream_makes_room(StoreKind store)
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(store, Settings, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        await LimitAsync(server, 8);
        var other = (await BeginAsync(server, "acme", Second)).SessionId!;
        var sessions = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            sessions.Add((await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!);
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        // The first has a stream, the second is used, the third had a stream until now.
        var first = await OpenStreamAsync(server, sessions[0]);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, sessions[1]));
        var third = await OpenStreamAsync(server, sessions[2]);
        await Poll.UntilAsync(() => Task.FromResult(server.Services.GetRequiredService<OpenStreams>().Of(Acme).Count == 2));
        clock.Advance(TimeSpan.FromSeconds(2));
        third.Dispose();
        await Poll.UntilAsync(() => Task.FromResult(server.Services.GetRequiredService<OpenStreams>().Of(Acme).Count == 1));
        clock.Advance(TimeSpan.FromSeconds(2));

        foreach (var gone in new[] { 3, 1 })
        {
            sessions.Add((await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!);
            clock.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, sessions[gone]));
        }

        foreach (var session in sessions.Where((_, i) => i is not (1 or 3)))
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, Second, other));
        first.Dispose();
    }

    [Theory]
    [InlineData(StoreKind.Embedded, "slow")]
    [InlineData(StoreKind.Redis, "slow")]
    [InlineData(StoreKind.Embedded, "slow_by_sdk")]
    public async Task A_session_in_which_a_call_runs_makes_no_room_and_another_does(StoreKind store, string tool)
    {
        using var gate = new SlowTools.Gate();
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(store, Settings, services: services =>
            services
                .AddSingleton<TimeProvider>(clock)
                .AddSingleton(gate)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowHandlers>()))
        );
        await LimitAsync(server, 8);
        var sessions = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            sessions.Add((await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!);
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        // The first runs a call, and was not used for longest; the others but the last have streams.
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool), sessionId: sessions[0]);
        var call = server.Client.SendAsync(request, Cancellation);
        await gate.WaitForAsync(1);
        var streams = new[] { await OpenStreamAsync(server, sessions[1]), await OpenStreamAsync(server, sessions[2]) };
        var open = server.Services.GetRequiredService<OpenStreams>();
        await Poll.UntilAsync(() => Task.FromResult(open.Of(Acme).Count == 2));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, sessions[3]));
        clock.Advance(TimeSpan.FromSeconds(2));
        var fifth = (await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!;
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, sessions[3]));
        using (var stream = await OpenStreamAsync(server, fifth))
        {
            await Poll.UntilAsync(() => Task.FromResult(open.Of(Acme).Count == 3));
            var refused = await BeginAsync(server, "acme", McpCalls.Acme);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        }

        Assert.False(call.IsCompleted);
        gate.Open();
        using var answer = await call.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Contains("done", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Array.ForEach(streams, stream => stream.Dispose());
    }

    [Fact]
    public async Task A_call_that_runs_at_another_node_keeps_its_session_as_long_as_it_runs()
    {
        using var gate = new SlowTools.Gate();
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartAsync();
        await LimitAsync(one, 2);
        await using var two = await StartAsync();
        var session = (await BeginAsync(one, "acme", McpCalls.Acme)).SessionId!;
        using var request = McpCalls.Post(one.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("slow"), sessionId: session);
        await using var call = await OpenStream.SendAsync(one, request);

        // It has run for more than an interval when it has said twice that it does.
        for (var i = 0; i < 3; i++)
        {
            await call.ReadUntilAsync(OpenStream.Comment);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await BeginAsync(two, "acme", McpCalls.Acme)).Status);
        gate.Open();
        Assert.Contains("done", await call.ReadToEndAsync(), StringComparison.Ordinal);
        await Poll.UntilAsync(async () => (await BeginAsync(two, "acme", McpCalls.Acme)).Status == HttpStatusCode.OK);

        Task<TenancyServer> StartAsync() =>
            TenancyServer.StartAsync(
                settings: new Dictionary<string, string?>(Settings) { ["Tenancy:HeartbeatInterval"] = "00:00:01" },
                redis: redis,
                services: services =>
                    services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowHandlers>()))
            );
    }

    [Fact]
    public async Task Where_all_sessions_of_a_caller_have_streams_none_makes_room()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await LimitAsync(server, 2);
        var session = (await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!;
        using (await OpenStreamAsync(server, session))
        {
            await Poll.UntilAsync(async () => (await BeginAsync(server, "acme", McpCalls.Acme)).Status == HttpStatusCode.TooManyRequests);
        }
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_session_that_was_only_begun_lives_minutes_and_one_that_is_used_lives_hours(StoreKind store)
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(store, Settings, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        var (used, begun) = (await BeginAsync(server, "acme", McpCalls.Acme), await BeginAsync(server, "acme", McpCalls.Acme));
        foreach (var session in new[] { used, begun })
        {
            const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                Initialized,
                Generation.Sessions,
                session.SessionId
            );
            using var response = await server.Client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, used.SessionId!));
        clock.Advance(SessionStore.UnusedLifetime + TimeSpan.FromSeconds(1));
        Assert.Equal(1, (int)(await ListAsync(server, "acme"))["count"]!);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, begun.SessionId!));
        clock.Advance(SessionStore.Lifetime - TimeSpan.FromMinutes(6));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, used.SessionId!));
    }

    [Theory]
    [InlineData("\"params\":{\"protocolVersion\":5,\"capabilities\":{},\"clientInfo\":{\"name\":\"x\",\"version\":\"1\"}}")]
    [InlineData("\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":[],\"clientInfo\":{\"name\":\"x\",\"version\":\"1\"}}")]
    [InlineData("\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}")]
    [InlineData("\"params\":[]")]
    [InlineData("\"params\":null")]
    [InlineData("\"other\":1")]
    public async Task An_initialize_that_is_refused_leaves_no_session(string odd)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        foreach (var id in new[] { "\"id\":1,", "\"id\":\"a\",", "" })
        {
            foreach (var accept in new[] { "application/json, text/event-stream", "application/json" })
            {
                using var request = McpCalls.Post(
                    server.Port,
                    Way.Path,
                    "acme",
                    McpCalls.Acme,
                    $$"""{"jsonrpc":"2.0",{{id}}"method":"initialize",{{odd}}}""",
                    accept: accept
                );
                using var response = await server.Client.SendAsync(request, Cancellation);
                Assert.InRange((int)response.StatusCode, 400, 499);
                Assert.False(response.Headers.Contains("Mcp-Session-Id"));
                Assert.Equal(0, (int)(await ListAsync(server, "acme"))["count"]!);
                Assert.Equal(0, server.Services.GetRequiredService<OpenSessions>().Count);
            }
        }
    }

    [Fact]
    public async Task Where_all_callers_are_the_same_they_have_all_of_the_tenants_sessions()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(Settings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" }
        );
        await LimitAsync(server, 5);
        Assert.Equal(
            5,
            (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => BeginAsync(server, "acme", null)))).Count(answer =>
                answer.Status == HttpStatusCode.OK
            )
        );
    }

    [Fact]
    public async Task Where_all_callers_are_the_same_a_session_makes_room_when_nobody_has_used_it_for_minutes()
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(Settings) { ["Tenancy:Defaults:Authentication:Kind"] = "none" },
            services: services => services.AddSingleton<TimeProvider>(clock)
        );
        await LimitAsync(server, 2);
        var sessions = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            sessions.Add((await BeginAsync(server, "acme", null)).SessionId!);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, null, sessions[i]));
            clock.Advance(TimeSpan.FromMinutes(6));
        }

        Assert.Equal(HttpStatusCode.OK, (await BeginAsync(server, "acme", null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, null, sessions[0]));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, null, sessions[1]));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await BeginAsync(server, "acme", null)).Status);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_session_that_nobody_uses_frees_its_place_and_one_that_is_used_does_not(StoreKind store)
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(store, Settings, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        await LimitAsync(server, 4);
        var (used, idle) = (await BeginAsync(server, "acme", McpCalls.Acme), await BeginAsync(server, "acme", McpCalls.Acme));
        foreach (var session in new[] { used, idle })
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session.SessionId!));
        }

        clock.Advance(SessionStore.Lifetime - TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, used.SessionId!));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, idle.SessionId!));
        Assert.Equal(HttpStatusCode.OK, (await BeginAsync(server, "acme", McpCalls.Acme)).Status);
        Assert.Equal(2, (int)(await ListAsync(server, "acme"))["count"]!);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, used.SessionId!));
    }

    [Fact]
    public async Task What_is_ended_or_did_not_even_begin_holds_no_place()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await LimitAsync(server, 1);
        using var unreadable = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize(), accept: "text/html");
        using var refused = await server.Client.SendAsync(unreadable, Cancellation);
        Assert.Equal(HttpStatusCode.NotAcceptable, refused.StatusCode);

        var session = await BeginAsync(server, "acme", McpCalls.Acme);
        Assert.Equal(HttpStatusCode.OK, session.Status);
        using var delete = McpCalls.Bodyless(HttpMethod.Delete, server.Port, Way.Path, "acme", McpCalls.Acme, session.SessionId);
        using var ended = await server.Client.SendAsync(delete, Cancellation);
        Assert.True(ended.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.OK, (await BeginAsync(server, "acme", McpCalls.Acme)).Status);
    }

    [Fact]
    public async Task A_session_whose_node_died_goes_on_elsewhere_for_its_own_caller_only()
    {
        await using var redis = await RedisServer.StartAsync();
        string session;
        await using (var first = await TenancyServer.StartAsync(settings: Settings, redis: redis))
        {
            session = (await BeginAsync(first, "acme", McpCalls.Acme)).SessionId!;
        }

        await using var second = await TenancyServer.StartAsync(settings: Settings, redis: redis);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(second, Second, session));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(second, McpCalls.Globex, session, "globex"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(second, McpCalls.Acme, session));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(second, Second, session));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(second, McpCalls.Globex, session, "globex"));
    }

    [Fact]
    public async Task A_session_that_had_to_make_room_in_memory_comes_back()
    {
        var comebacks = new Comebacks();
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
        {
            services.PostConfigure<HttpServerTransportOptions>(options => options.MaxIdleSessionCount = 1);
            services.AddSingleton<ISessionMigrationHandler>(provider =>
                comebacks.Watch(new SdkSessions(provider.GetRequiredService<SessionGuard>()))
            );
        });
        var sessions = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            sessions.Add((await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!);
            Assert.Equal(HttpStatusCode.OK, (await BeginAsync(server, "globex", McpCalls.Globex)).Status);
        }

        // A plain call needs nothing of what the SDK keeps. What does gets the session back.
        foreach (var session in sessions)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
        }

        Assert.Equal(0, comebacks.Count);
        foreach (var session in sessions)
        {
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                McpCalls.Message("ping"),
                Generation.Sessions,
                session
            );
            using var response = await server.Client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.InRange(comebacks.Count, 3, 4);
    }

    [Theory]
    [InlineData("\"2026-07-28\"", null)]
    [InlineData("\"2026-07-28\"", "")]
    [InlineData("\"2026-07-28\"", "2025-11-25")]
    [InlineData("\"2026-07-28\"", "2026-07-28")]
    [InlineData("\"2025-11-25\"", null)]
    [InlineData("\"1999-01-01\"", "2025-11-25")]
    [InlineData("7", null)]
    public async Task An_initialize_of_both_generations_is_a_session_that_can_be_used_or_none(string declared, string? version)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var initialize = JsonNode.Parse(McpCalls.Initialize())!;
        initialize["params"]!["_meta"] = new JsonObject { ["io.modelcontextprotocol/protocolVersion"] = JsonNode.Parse(declared) };
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, initialize.ToJsonString());
        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation("MCP-Protocol-Version", version);
        }

        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.InRange((int)response.StatusCode, 200, 499);
        var session = response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null;
        Assert.Equal(response.IsSuccessStatusCode, session is not null);
        Assert.Equal(session is null ? 0 : 1, (int)(await ListAsync(server, "acme"))["count"]!);
        if (session is not null)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
        }
    }

    [Theory]
    [InlineData("2099-01-01")]
    [InlineData("2026-07-28")]
    [InlineData("DRAFT-2027-v1")]
    public async Task A_client_that_asks_for_a_session_in_a_later_revision_is_offered_the_latest_that_has_them(string requested)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var initialize = JsonNode.Parse(McpCalls.Initialize())!;
        initialize["params"]!["protocolVersion"] = requested;
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, initialize.ToJsonString());
        using var response = await server.Client.SendAsync(request, Cancellation);
        var answer = await McpCalls.ReadAsync(response);
        Assert.Equal("2025-11-25", answer["result"]?["protocolVersion"]?.ToString());
        var session = response.Headers.GetValues("Mcp-Session-Id").Single();
        Assert.Equal("2025-11-25", server.Services.GetRequiredService<OpenSessions>().Find(TenantId.Parse("acme"), session)?.Version);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
    }

    [Fact]
    public async Task An_admin_sees_sessions_without_their_ids_and_ends_them()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var (mine, other) = (await BeginAsync(server, "acme", McpCalls.Acme), await BeginAsync(server, "acme", Second));
        var foreign = await BeginAsync(server, "globex", McpCalls.Globex);
        using var stream = await OpenStreamAsync(server, mine.SessionId!);
        var list = await ListAsync(server, "acme");
        Assert.Equal(2, (int)list["count"]!);
        foreach (var session in new[] { mine, other, foreign })
        {
            Assert.DoesNotContain(session.SessionId!, list.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(server, "acme", TenantKeyspace.Hash(foreign.SessionId!)));
        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(server, "acme", "x"));
        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(server, "nobody", TenantKeyspace.Hash(mine.SessionId!)));
        Assert.Equal(HttpStatusCode.NoContent, await EndAsync(server, "acme", TenantKeyspace.Hash(mine.SessionId!)));
        await AssertEndsAsync(stream);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, mine.SessionId!));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, Second, other.SessionId!));
        Assert.Equal(1, (int)(await ListAsync(server, "acme"))["count"]!);
        Assert.StartsWith("principal:", (await ListAsync(server, "acme"))["sessions"]![0]!["caller"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_ended_is_known_at_once_on_the_node_where_it_did_and_within_a_second_on_others()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var redis = await RedisServer.StartAsync();
        await using var one = await TenancyServer.StartAsync(settings: Settings, redis: redis, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        await using var two = await TenancyServer.StartAsync(settings: Settings, redis: redis, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        foreach (var isAdmins in new[] { true, false })
        {
            var session = (await BeginAsync(one, "acme", McpCalls.Acme)).SessionId!;
            foreach (var node in new[] { one, two, one, two })
            {
                Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, McpCalls.Acme, session));
                Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(node, Second, session));
            }

            if (isAdmins)
            {
                Assert.Equal(HttpStatusCode.NoContent, await EndAsync(one, "acme", TenantKeyspace.Hash(session)));
            }
            else
            {
                using var delete = McpCalls.Bodyless(HttpMethod.Delete, one.Port, Way.Path, "acme", McpCalls.Acme, session);
                using var ended = await one.Client.SendAsync(delete, Cancellation);
                Assert.True(ended.IsSuccessStatusCode);
            }

            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(one, McpCalls.Acme, session));
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(two, McpCalls.Acme, session));
        }
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Sessions_of_a_tenant_that_is_suspended_wait_and_their_calls_are_refused_meanwhile(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store, Settings);
        var session = (await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
        (await server.AdminAsync(HttpMethod.Patch, "/acme", """{"status":"suspended"}""")).Dispose();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(server, McpCalls.Acme, session));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, McpCalls.Acme, "another"));
        Assert.Equal(1, (int)(await ListAsync(server, "acme"))["count"]!);
        (await server.AdminAsync(HttpMethod.Patch, "/acme", """{"status":"active"}""")).Dispose();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Acme, session));
    }

    [Fact]
    public async Task A_session_has_one_stream_at_a_time_the_last_one()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var session = (await BeginAsync(server, "acme", McpCalls.Acme)).SessionId!;
        using var stream = await OpenStreamAsync(server, session);
        Assert.True(stream.IsSuccessStatusCode);
        using var second = await OpenStreamAsync(server, session);
        Assert.True(second.IsSuccessStatusCode);
        await AssertEndsAsync(stream);
        Assert.Equal(HttpStatusCode.NoContent, await EndAsync(server, "acme", TenantKeyspace.Hash(session)));
        await AssertEndsAsync(second);
    }

    [Fact]
    public async Task A_stream_keeps_its_session_and_ends_when_another_node_ended_that()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var redis = await RedisServer.StartAsync();
        await using var one = await TenancyServer.StartAsync(settings: Settings, redis: redis, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        await using var two = await TenancyServer.StartAsync(settings: Settings, redis: redis, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        var session = (await BeginAsync(one, "acme", McpCalls.Acme)).SessionId!;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(one, McpCalls.Acme, session));
        using var stream = await OpenStreamAsync(one, session);
        for (var i = 0; i < 3; i++)
        {
            var before = await ExpiryAsync();
            time.Advance(SessionStore.Lifetime - TimeSpan.FromMinutes(10));
            await Poll.UntilAsync(async () => await ExpiryAsync() > before.AddMinutes(30));
        }

        Assert.Equal(HttpStatusCode.NoContent, await EndAsync(two, "acme", TenantKeyspace.Hash(session)));
        time.Advance(SessionStreams.Interval);
        await AssertEndsAsync(stream);

        async Task<DateTimeOffset> ExpiryAsync() =>
            DateTimeOffset.Parse((await ListAsync(two, "acme"))["sessions"]![0]!["expiresAt"]!.ToString(), CultureInfo.InvariantCulture);
    }

    private sealed class SlowHandlers(SlowTools.Gate gate)
    {
        [McpServerTool(Name = "slow")]
        public async Task<string> SlowAsync(CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return "done";
        }

        [McpServerTool(Name = "slow_by_sdk")]
        public async Task<string> SlowAsync(McpServer server, CancellationToken cancellationToken)
        {
            await gate.EnterAsync(cancellationToken);
            return "done";
        }
    }

    private static async Task LimitAsync(TenancyServer server, int sessions)
    {
        using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", $$"""{ "limits": { "maxSessions": {{sessions}} } }""");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private static async Task<(HttpStatusCode Status, string? SessionId, JsonNode Body)> BeginAsync(
        TenancyServer server,
        string tenant,
        string? token
    )
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Initialize());
        using var response = await server.Client.SendAsync(request, Cancellation);
        return (
            response.StatusCode,
            response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null,
            await McpCalls.ReadAsync(response)
        );
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string? token, string sessionId, string tenant = "acme")
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"), Generation.Sessions, sessionId);
        using var response = await server.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> OpenStreamAsync(TenancyServer server, string sessionId)
    {
        using var request = McpCalls.Bodyless(HttpMethod.Get, server.Port, Way.Path, "acme", McpCalls.Acme, sessionId);
        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    // In order: clients take a connection that is cut for a failure.
    private static async Task AssertEndsAsync(HttpResponseMessage stream)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        await stream.Content.ReadAsStringAsync(limit.Token);
    }

    private static async Task<JsonNode> ListAsync(TenancyServer server, string tenant)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, $"/{tenant}/sessions");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        return await McpCalls.ReadAsync(response);
    }

    private static async Task<HttpStatusCode> EndAsync(TenancyServer server, string tenant, string handle)
    {
        using var response = await server.AdminAsync(HttpMethod.Delete, $"/{tenant}/sessions/{handle}");
        return response.StatusCode;
    }

    /// <summary>Counts the sessions that come back into memory.</summary>
    private sealed class Comebacks : ISessionMigrationHandler
    {
        private ISessionMigrationHandler? _handler;

        public int Count { get; private set; }

        public Comebacks Watch(ISessionMigrationHandler handler)
        {
            _handler = handler;
            return this;
        }

        public ValueTask OnSessionInitializedAsync(
            HttpContext context,
            string sessionId,
            InitializeRequestParams initializeParams,
            CancellationToken cancellationToken
        ) => _handler!.OnSessionInitializedAsync(context, sessionId, initializeParams, cancellationToken);

        public ValueTask<InitializeRequestParams?> AllowSessionMigrationAsync(
            HttpContext context,
            string sessionId,
            CancellationToken cancellationToken
        )
        {
            Count++;
            return _handler!.AllowSessionMigrationAsync(context, sessionId, cancellationToken);
        }
    }
}
