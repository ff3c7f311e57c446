using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>A session goes on at whichever node its requests come to, and is told there what it is to know.</summary>
[Tier(Tier.Process)]
public sealed class SessionsOnTwoNodesTests
{
    // It stands still but where a test moves it: a stream says nothing by itself.
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_at_a_node_that_does_not_know_what_its_client_has_listed_says_so_until_it_lists()
    {
        await using var nodes = await StartAsync();
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        using var changed = await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", """{"platform":"retailer"}""");
        Assert.True(changed.IsSuccessStatusCode);
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(1).Get("acme")!.Config.Platform == "retailer"));
        await using (var stream = await OpenStream.GetAsync(nodes[1], McpCalls.Acme, session))
        {
            await stream.ReadUntilAsync("notifications/tools/list_changed");
        }

        await ListAsync(nodes[1], session);
        await AssertSilentAsync(nodes[1], session);
    }

    [Fact]
    public async Task At_a_node_that_does_not_know_what_was_declared_the_tools_alone_are_announced()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (_, services) =>
            {
                services.AddSingleton<TimeProvider>(_clock);
                new TenancyBuilder(services).AddPlatform<Prompting>("prompting");
            }
        );
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        using var changed = await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", """{"platform":"prompting"}""");
        Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync(Token));
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(1).Get("acme")!.Config.Platform == "prompting"));
        foreach (var (node, said) in new[] { (0, session), (1, session) })
        {
            await using var stream = await OpenStream.GetAsync(nodes[node], McpCalls.Acme, said);
            var first = await stream.ReadUntilAsync("notifications/tools/list_changed");

            // What it has to say comes before its end.
            await using var second = await OpenStream.GetAsync(nodes[node], McpCalls.Acme, said);
            Assert.DoesNotContain("prompts", first + await stream.ReadToEndAsync(), StringComparison.Ordinal);
        }

        // Who was told of prompts is told of theirs, too.
        var later = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        using var back = await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", """{"platform":"publisher"}""");
        await using var told = await OpenStream.GetAsync(nodes[0], McpCalls.Acme, later);
        await told.ReadUntilAsync("notifications/prompts/list_changed");
    }

    [Fact]
    public async Task A_list_that_is_a_sessions_first_request_at_a_node_is_remembered_there()
    {
        await using var nodes = await StartAsync();
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        await ListAsync(nodes[1], session);
        await AssertSilentAsync(nodes[1], session);
    }

    [Fact]
    public async Task A_second_stream_of_a_session_ends_the_first_at_another_node()
    {
        await using var nodes = await StartAsync();
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        await ListAsync(nodes[0], session);
        await ListAsync(nodes[1], session);
        await using var other = await OpenAsync(nodes[0], McpCalls.Acme);
        var first = await OpenStream.GetAsync(nodes[0], McpCalls.Acme, session);
        await first.ReadUntilAsync(OpenStream.Comment);
        for (var i = 1; i <= 4; i++)
        {
            var second = await OpenStream.GetAsync(nodes[i % 2], McpCalls.Acme, session);
            await second.ReadUntilAsync(OpenStream.Comment);
            Assert.Equal("", await first.ReadToEndAsync());
            await first.DisposeAsync();
            first = second;
        }

        _clock.Advance(TimeSpan.FromSeconds(15));
        await first.ReadUntilAsync(OpenStream.Comment);
        await first.DisposeAsync();
        await other.ReadUntilAsync(OpenStream.Comment);
    }

    [Fact]
    public async Task A_stream_ends_at_once_where_its_caller_is_revoked_at_another_node()
    {
        // Nothing is asked again by itself, and what is remembered of a token does not go out of date.
        await using var nodes = await StartAsync();
        var (buyer, other) = (McpCalls.Acme, await IssueAsync(nodes[0]));
        await using var revoked = await OpenAsync(nodes[1], buyer);
        await using var staying = await OpenAsync(nodes[1], other);
        await nodes[1].CallAsync("acme", buyer, "whoami");

        var wasRemembered = new TaskCompletionSource<bool>();
        var services = nodes[1].Services;
        services.GetRequiredService<Revocations>().Revoked += _ =>
            wasRemembered.TrySetResult(
                services.GetRequiredService<PrincipalCache>().TryGet(nodes.Registry(1).Get("acme")!, buyer, out var _)
            );
        using var list = await nodes[0].AdminAsync(HttpMethod.Get, "/acme/principals");
        var id = (await McpCalls.ReadAsync(list))["principals"]!.AsArray().Single(principal => (string?)principal!["name"] == "buyer")![
            "id"
        ];
        using var revoke = await nodes[0].AdminAsync(HttpMethod.Delete, $"/acme/principals/{id}");
        Assert.Equal(HttpStatusCode.NoContent, revoke.StatusCode);
        await revoked.ReadToEndAsync();
        Assert.False(await wasRemembered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token));
        _clock.Advance(TimeSpan.FromSeconds(15));
        await staying.ReadUntilAsync(OpenStream.Comment);
    }

    [Fact]
    public async Task What_is_said_while_a_stream_is_opened_comes_with_its_head()
    {
        await using var nodes = await StartAsync(count: 1);
        using var wide = await nodes[0].AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"rateLimit":600000}}""");
        Assert.Equal(HttpStatusCode.OK, wide.StatusCode);
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        await ListAsync(nodes[0], session);

        // What the request has to know first is known from others for a second, which does not pass, and what it spends is lent: the more
        // came, the more. That there is a stream cannot be noted for now.
        var streams = nodes[0].Services.GetRequiredService<OpenStreams>();
        for (var i = 0; i < 5; i++)
        {
            await using (var before = await OpenStream.GetAsync(nodes[0], McpCalls.Acme, session))
            {
                await before.ReadUntilAsync(OpenStream.Comment);
            }

            await Poll.UntilAsync(() => Task.FromResult(streams.Find(TenantId.Parse("acme"), session) is null));
        }

        await nodes.Redis.PauseAsync();
        var opening = OpenStream.GetAsync(nodes[0], McpCalls.Acme, session);
        await Poll.UntilAsync(() => Task.FromResult(streams.Find(TenantId.Parse("acme"), session) is not null));
        var notification = new JsonRpcNotification { Method = "notifications/early" };
        await streams.Find(TenantId.Parse("acme"), session)!.SendAsync(notification, Token);
        await nodes.Redis.ResumeAsync();
        await using var stream = await opening;
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("event: message\ndata: ", await stream.ReadUntilAsync(OpenStream.Comment), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_could_not_be_noted_as_it_began_takes_the_place_of_one_whose_node_died()
    {
        await using var nodes = await StartAsync(count: 1);
        var session = await nodes[0].InitializeAsync("acme", McpCalls.Acme);
        await ListAsync(nodes[0], session);
        var acme = nodes.Registry(0).Get("acme")!;
        var caller = await nodes[0].CallAsync("acme", McpCalls.Acme, "whoami");
        var owner = new SessionOwner(acme.Record.SessionEpoch, caller["content"]![0]!["text"]!.ToString().Split('|')[1]);
        var sessions = new SessionStore(nodes[0].Services.GetRequiredService<RedisConnection>(), acme.Id, acme.Generation);
        Assert.Equal((true, false), await sessions.BeginStreamAsync(session, owner, "of a node that died"));

        // The store answers, and takes nothing more.
        await nodes.Redis.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await using var stream = await OpenStream.GetAsync(nodes[0], McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        await nodes.Redis.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        Assert.True(await sessions.NoteStreamAsync(session, owner, "of a node that died"));
        for (var i = 0; i < 4; i++)
        {
            _clock.Advance(SessionStreams.Interval);
            await stream.ReadUntilAsync(OpenStream.Comment);
        }

        Assert.False(await sessions.NoteStreamAsync(session, owner, "of a node that died"));
    }

    internal sealed class Prompting : ITenantPlatform<Prompting>
    {
        public static void Define(IPlatformBuilder platform) => platform.AddHandlers<Prompts>();

        public static Task<Prompting> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
            Task.FromResult(new Prompting());
    }

    internal sealed class Prompts
    {
        [McpServerTool(Name = "noop")]
        public static string Noop() => "done";

        [McpServerPrompt(Name = "greet")]
        public static string Greet() => "hello";
    }

    private Task<NodesOnOneStore> StartAsync(int count = 2) =>
        NodesOnOneStore.StartAsync(count, services: (_, services) => services.AddSingleton<TimeProvider>(_clock));

    private static async Task<OpenStream> OpenAsync(TenancyServer node, string token)
    {
        var stream = await OpenStream.GetAsync(node, token, await node.InitializeAsync("acme", token));
        await stream.ReadUntilAsync(OpenStream.Comment);
        return stream;
    }

    private static async Task<string> IssueAsync(TenancyServer node)
    {
        using var issued = await node.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"other"}""");
        return (await McpCalls.ReadAsync(issued))["token"]!.ToString();
    }

    private static async Task ListAsync(TenancyServer node, string session)
    {
        using var list = McpCalls.Post(node.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("tools/list"), sessionId: session);
        using var listed = await node.Client.SendAsync(list, Token);
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
    }

    // What a stream has to say at first comes before its end.
    private static async Task AssertSilentAsync(TenancyServer node, string session)
    {
        await using var stream = await OpenStream.GetAsync(node, McpCalls.Acme, session);
        Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
        await using var second = await OpenStream.GetAsync(node, McpCalls.Acme, session);
        await second.ReadUntilAsync(OpenStream.Comment);
        Assert.Equal("", await stream.ReadToEndAsync());
    }
}
