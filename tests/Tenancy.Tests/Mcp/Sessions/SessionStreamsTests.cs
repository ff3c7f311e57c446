using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Administration;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>
/// The stream of a session lives: it says something now and then, can be opened again after any cut, and ends with what it was let in by.
/// </summary>
[Tier(Tier.Server)]
public sealed class SessionStreamsTests
{
    private const string Second = "acme.second";
    private static readonly TenantId Acme = TenantId.Parse("acme");
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    // Of a test that would hang without it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_says_something_at_once_and_at_every_interval()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(session, stream.Response.Headers.GetValues("Mcp-Session-Id").Single());
        Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
        for (var i = 0; i < 3; i++)
        {
            await BeatAsync(stream);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    public async Task It_can_be_opened_again_after_its_client_left_and_the_last_one_counts(string? lastEventId)
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session, lastEventId);
            Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
            await stream.DisposeAsync();
            await Poll.UntilAsync(() => Task.FromResult(!server.Services.GetRequiredService<OpenStreams>().Of(Acme).Any()));
        }

        await using var first = await OpenStream.GetAsync(server, McpCalls.Acme, session, lastEventId);
        await first.ReadUntilAsync(OpenStream.Comment);
        await using var second = await OpenStream.GetAsync(server, McpCalls.Acme, session, lastEventId);
        await second.ReadUntilAsync(OpenStream.Comment);
        Assert.Equal("", await first.ReadToEndAsync());
        Assert.False(first.WasCut);
        await BeatAsync(second);
        Assert.Single(server.Services.GetRequiredService<OpenStreams>().Of(Acme));
    }

    [Fact]
    public async Task Nobody_opens_the_stream_of_another_callers_session_or_ends_it_by_that()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        await using var second = await OpenStream.GetAsync(server, Second, session);
        Assert.Equal(HttpStatusCode.NotFound, second.Response.StatusCode);
        await using var foreign = await OpenStream.GetAsync(server, McpCalls.Globex, session, tenant: "globex");
        Assert.Equal(HttpStatusCode.NotFound, foreign.Response.StatusCode);
        await BeatAsync(stream);
    }

    [Fact]
    public async Task What_a_handler_says_beside_its_call_and_after_it_comes_on_the_stream()
    {
        var kept = new Kept();
        await using var server = await StartAsync(services =>
            services.AddSingleton(kept).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<TalkingTools>()))
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var other = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var deaf = await OpenStream.GetAsync(server, McpCalls.Acme, other);
        await deaf.ReadUntilAsync(OpenStream.Comment);
        await server.CallAsync("acme", McpCalls.Acme, "keep", sessionId: session);

        // Without a stream it is nobody's, and with one again it is heard.
        await kept.Server!.SendNotificationAsync("notifications/lost", cancellationToken: Token);
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
            await stream.ReadUntilAsync(OpenStream.Comment);
            await kept.Server.SendNotificationAsync("notifications/heard", cancellationToken: Token);
            var heard = await stream.ReadUntilAsync("\n\n");
            Assert.StartsWith("event: message\ndata: {", heard, StringComparison.Ordinal);
            Assert.Contains("\"notifications/heard\"", heard, StringComparison.Ordinal);
        }

        await BeatAsync(deaf);
    }

    [Fact]
    public async Task A_question_outside_of_a_call_is_asked_on_the_stream_and_its_answer_arrives()
    {
        var kept = new Kept();
        await using var server = await StartAsync(services =>
            services.AddSingleton(kept).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<TalkingTools>()))
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await server.CallAsync("acme", McpCalls.Acme, "keep", sessionId: session);
        await Assert.ThrowsAsync<McpException>(() => AskAsync());
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        var asking = AskAsync();
        var asked = await stream.ReadUntilAsync("\n\n");
        var id = JsonNode.Parse(asked.Split("data: ")[1])!["id"]!.ToJsonString();

        // Neither what could not be asked has an answer, nor what the MCP SDK counts: it counts anew on each node.
        foreach (var other in new[] { "1", "2", "\"1\"", "\"2\"" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, await AnswerAsync(other));
        }

        Assert.Equal(HttpStatusCode.Accepted, await AnswerAsync(id));
        Assert.True((bool)(await asking.WaitAsync(TimeSpan.FromSeconds(20), Token)).Result!["seen"]!);

        Task<JsonRpcResponse> AskAsync() => kept.Server!.SendRequestAsync(new() { Method = "test/ask" }, Token);

        async Task<HttpStatusCode> AnswerAsync(string question)
        {
            var body = $$$"""{"jsonrpc":"2.0","id":{{{question}}},"result":{"seen":true}}""";
            using var answer = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, sessionId: session);
            using var response = await server.Client.SendAsync(answer, Token);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("revoked")]
    [InlineData("suspended")]
    [InlineData("unregistered")]
    [InlineData("other proof")]
    [InlineData("ended by its client")]
    [InlineData("ended by an admin")]
    public async Task It_ends_at_once_when_what_let_it_in_ends_and_no_other_does(string end)
    {
        await using var server = await StartAsync();
        var (session, neighbour) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", Second));
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await using var others = await OpenStream.GetAsync(server, Second, neighbour);
        var foreign = await server.InitializeAsync("globex", McpCalls.Globex);
        await using var globex = await OpenStream.GetAsync(server, McpCalls.Globex, foreign, tenant: "globex");
        foreach (var open in new[] { stream, others, globex })
        {
            await open.ReadUntilAsync(OpenStream.Comment);
        }

        await EndAsync(server, end, session);
        await stream.ReadToEndAsync();
        Assert.False(stream.WasCut);
        if (end is "revoked" or "ended by its client" or "ended by an admin")
        {
            await BeatAsync(others);
        }
        else
        {
            await others.ReadToEndAsync();
        }

        await BeatAsync(globex);
    }

    [Fact]
    public async Task It_does_not_stay_where_its_caller_is_revoked_while_it_is_opened()
    {
        // Between the proof of the caller and the stream.
        Func<Task>? meanwhile = null;
        await using var server = await StartAsync(endpoints: app =>
            app.Use(
                async (HttpContext context, RequestDelegate next) =>
                {
                    await (
                        HttpMethods.IsGet(context.Request.Method) && Interlocked.Exchange(ref meanwhile, null) is { } act
                            ? act()
                            : Task.CompletedTask
                    );
                    await next(context);
                }
            )
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var administration = server.Services.GetRequiredService<ITenantAdministration>();
        var buyer = (await administration.ListPrincipalsAsync(Acme, Token)).Single(principal => principal.Name == "buyer");
        meanwhile = () => administration.RevokePrincipalAsync(Acme, buyer.Id, Token);
        try
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
            await stream.ReadToEndAsync();
        }
        catch (HttpRequestException)
        {
            // It ended before it began.
        }

        Assert.Null(meanwhile);
        Assert.Empty(server.Services.GetRequiredService<OpenStreams>().Of(Acme));
    }

    [Fact]
    public async Task It_stays_a_while_where_nobody_can_say_whether_its_caller_is_still_good_and_then_ends()
    {
        var tokens = new Tokens();
        await using var server = await StartAsync(services => services.AddSingleton<ITokenValidator>(tokens));
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        for (var i = 0; i < 2; i++)
        {
            // What is known in between counts.
            tokens.AreAway = true;
            await BeatForAsync(StandingCallers.Patience - Interval);
            tokens.AreAway = false;
            await BeatForAsync(Interval);
        }

        tokens.AreAway = true;
        await BeatForAsync(StandingCallers.Patience - Interval);
        _time.Advance(Interval);
        await stream.ReadToEndAsync();

        async Task BeatForAsync(TimeSpan time)
        {
            for (var end = _time.GetUtcNow() + time; _time.GetUtcNow() < end; )
            {
                var asked = tokens.Asked;
                await BeatAsync(stream);
                await Poll.UntilAsync(() => Task.FromResult(tokens.Asked > asked));
            }
        }
    }

    [Fact]
    public async Task Its_end_waits_for_no_client_that_reads_nothing()
    {
        var kept = new Kept();
        await using var server = await StartAsync(services =>
            services.AddSingleton(kept).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<TalkingTools>()))
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await server.CallAsync("acme", McpCalls.Acme, "keep", sessionId: session);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);

        // More than everything in between takes up.
        var large = new JsonObject { ["text"] = new string('x', 64_000_000) };
        var sending = kept.Server!.SendNotificationAsync("notifications/large", large, cancellationToken: Token);
        await stream.ReadUntilAsync("notifications/large");
        Assert.False(sending.IsCompleted);
        await EndAsync(server, "ended by an admin", session);
        await sending.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(20), Token);
        await Poll.UntilAsync(() => Task.FromResult(!server.Services.GetRequiredService<OpenStreams>().Of(Acme).Any()));
    }

    [Fact]
    public async Task A_change_of_something_else_leaves_it_open()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        foreach (var change in new[] { """{"name":"Other"}""", """{"limits":{"rateLimit":999}}""", """{"settings":{"product":"other"}}""" })
        {
            using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", change);
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
            await BeatAsync(stream);
        }
    }

    [Fact]
    public async Task It_keeps_no_platform_from_its_end()
    {
        await using var server = await StartAsync();
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        var platform = (TestPlatform)((McpPlatformInstance)registry.Get("acme")!.Platform!).Instance;
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"settings":{"product":"new"}}""");
        await Poll.UntilAsync(() => Task.FromResult(platform.Disposals == 1));
        await BeatAsync(stream);
    }

    [Fact]
    public async Task A_stream_that_blocks_whoever_writes_on_it_keeps_no_tenant_from_changing()
    {
        using var end = new ManualResetEventSlim();
        await using var server = await StartAsync(endpoints: app =>
            app.Use(
                (http, next) =>
                {
                    http.Response.Body = HttpMethods.IsGet(http.Request.Method)
                        ? new BlockingBody(http.Response.Body, end)
                        : http.Response.Body;
                    return next(http);
                }
            )
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        try
        {
            foreach (var tenant in new[] { "acme", "globex" })
            {
                var body = """{"platform":"retailer","settings":{"product":"shelf"}}""";
                using var changed = await server.AdminAsync(HttpMethod.Patch, $"/{tenant}", body).WaitAsync(Patience, Token);
                Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
            }
        }
        finally
        {
            end.Set();
        }

        Assert.Contains("notifications/tools/list_changed", await stream.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_platform_is_another_the_session_goes_on_with_its_tools_and_is_told_so()
    {
        await using var server = await StartAsync(services =>
            services.AddSingleton(new Kept()).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<TalkingTools>()))
        );
        using var initialize = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
        using var began = await server.Client.SendAsync(initialize, Token);
        var declared = (await McpCalls.ReadAsync(began))["result"]!["capabilities"]!;
        Assert.True((bool)declared["tools"]!["listChanged"]!);
        Assert.NotNull(declared["logging"]);
        var session = began.Headers.GetValues("Mcp-Session-Id").Single();
        Assert.Equal("acme-banner", await ProductAsync());
        await using (var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session))
        {
            await stream.ReadUntilAsync(OpenStream.Comment);
            await ChangeAsync("retailer");
            Assert.Contains("notifications/tools/list_changed", await stream.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
            await BeatAsync(stream);
        }

        await ListAsync();

        // The SDK's way, too, by which the session was begun with the other platform.
        Assert.Equal("TestRetailer", (await CallAsync("platform")).ToString());
        Assert.Equal("acme-banner", await ProductAsync());
        await ChangeAsync("publisher");
        Assert.Equal("TestPublisher", (await CallAsync("platform")).ToString());

        // Who was away is told when it is back, until it has listed them.
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
            await stream.ReadUntilAsync("notifications/tools/list_changed");
        }

        await ListAsync();
        await using var again = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        Assert.Equal(OpenStream.Comment, await again.ReadAsync());
        await BeatAsync(again);

        async Task ListAsync()
        {
            using var list = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                McpCalls.Message("tools/list"),
                sessionId: session
            );
            using var listed = await server.Client.SendAsync(list, Token);
            Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        }

        async Task ChangeAsync(string platform)
        {
            using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", $$"""{"platform":"{{platform}}"}""");
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        }

        async Task<string> ProductAsync() =>
            (await server.CallAsync("acme", McpCalls.Acme, "get_products", sessionId: session))["structuredContent"]!["products"]![0]![
                "name"
            ]!.ToString();

        async Task<JsonNode> CallAsync(string tool) =>
            (await server.CallAsync("acme", McpCalls.Acme, tool, sessionId: session))["content"]![0]!["text"]!;
    }

    [Fact]
    public async Task A_session_that_was_only_begun_lives_as_long_as_its_stream()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await using (var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session))
        {
            await stream.ReadUntilAsync(OpenStream.Comment);
            for (var minute = 0; minute < 12; minute++)
            {
                _time.Advance(SessionStreams.Interval);
                await stream.ReadUntilAsync(OpenStream.Comment);
                await Poll.UntilAsync(async () => await ExpiryAsync(server) > _time.GetUtcNow() + TimeSpan.FromMinutes(4.5));
            }
        }

        await Poll.UntilAsync(() => Task.FromResult(!server.Services.GetRequiredService<OpenStreams>().Of(Acme).Any()));
        _time.Advance(SessionStore.UnusedLifetime + TimeSpan.FromSeconds(1));
        await using var late = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        Assert.Equal(HttpStatusCode.NotFound, late.Response.StatusCode);
    }

    private static async Task<DateTimeOffset> ExpiryAsync(TenancyServer server)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, "/acme/sessions");
        var sessions = (await McpCalls.ReadAsync(response))["sessions"]!.AsArray();
        return sessions.Count == 0
            ? DateTimeOffset.MinValue
            : DateTimeOffset.Parse(sessions[0]!["expiresAt"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task EndAsync(TenancyServer server, string end, string session)
    {
        if (end == "revoked")
        {
            using var list = await server.AdminAsync(HttpMethod.Get, "/acme/principals");
            var id = (await McpCalls.ReadAsync(list))["principals"]!.AsArray().Single(principal => (string?)principal!["name"] == "buyer")![
                "id"
            ];
            using var revoked = await server.AdminAsync(HttpMethod.Delete, $"/acme/principals/{id}");
            Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
            return;
        }

        if (end == "ended by its client")
        {
            using var delete = McpCalls.Bodyless(HttpMethod.Delete, server.Port, Way.Path, "acme", McpCalls.Acme, session);
            using var ended = await server.Client.SendAsync(delete, Token);
            Assert.True(ended.IsSuccessStatusCode);
            return;
        }

        using var response = end switch
        {
            "suspended" => await server.AdminAsync(HttpMethod.Patch, "/acme", """{"status":"suspended"}"""),
            "unregistered" => await server.AdminAsync(HttpMethod.Post, "/acme/unregister"),
            "other proof" => await server.AdminAsync(HttpMethod.Patch, "/acme", """{"authentication":{"kind":"none"}}"""),
            _ => await server.AdminAsync(HttpMethod.Delete, $"/acme/sessions/{TenantKeyspace.Hash(session)}"),
        };
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private async Task BeatAsync(OpenStream stream)
    {
        _time.Advance(Interval);
        Assert.StartsWith(OpenStream.Comment, await stream.ReadAsync(), StringComparison.Ordinal);
    }

    private Task<TenancyServer> StartAsync(Action<IServiceCollection>? services = null, Action<WebApplication>? endpoints = null) =>
        TenancyServer.StartAsync(
            endpoints: endpoints,
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:Tenants:0:principals:1:name"] = "second",
                ["Tenancy:Tenants:0:principals:1:token"] = Second,
            },
            services: all =>
            {
                all.AddSingleton<TimeProvider>(_time);
                services?.Invoke(all);
            }
        );

    // As that of a middleware of the application's, which packs the answer or waits for a client that reads nothing.
    private sealed class BlockingBody(Stream body, ManualResetEventSlim end) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Span.IndexOf("list_changed"u8) >= 0)
            {
                end.Wait(cancellationToken);
            }

            return body.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => body.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    private sealed class Kept
    {
        public McpServer? Server { get; set; }
    }

    // An application's own, which asks somebody who may be away.
    private sealed class Tokens : ITokenValidator
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public bool AreAway { get; set; }

        public ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            return AreAway ? throw new StoreUnavailableException(new TimeoutException()) : new(new TokenPrincipal("buyer"));
        }
    }

    private sealed class TalkingTools(Kept kept)
    {
        [McpServerTool(Name = "keep")]
        public string Keep(McpServer server)
        {
            kept.Server = server;
            return "kept";
        }

        [McpServerTool(Name = "platform")]
        public string Platform(McpServer server, Tenancy.Mcp.ToolContext context) =>
            server.SessionId is null ? "none" : context.Platform<ITestSeller>().GetType().Name;
    }
}
