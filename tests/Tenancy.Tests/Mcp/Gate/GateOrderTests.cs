using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Gate;

/// <summary>
/// The gate refuses in the order of what a refusal costs: nobody has a body read that the head of the request does not allow.
/// </summary>
[Tier(Tier.Server)]
public sealed class GateOrderTests
{
    private const string Second = "acme.second";
    private const int MaxAnonymous = 64 * 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Generation, bool> Clients { get; } =
        new()
        {
            { Generation.Sessions, false },
            { Generation.Sessions, true },
            { Generation.Stateless, false },
        };

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "second",
            ["Tenancy:Tenants:0:principals:1:token"] = Second,
        };

    [Theory]
    [InlineData(McpCalls.Globex)]
    [InlineData("acme.nobody")]
    [InlineData("nonsense")]
    public async Task A_bad_token_is_refused_before_the_body(string token)
    {
        await using var server = await StartAsync();
        Assert.Equal(401, await HeadAsync(server, token));
    }

    [Theory]
    [InlineData("""{"limits":{"rateLimit":1}}""")]
    [InlineData("""{"limits":{"rateLimitPerCaller":1}}""")]
    public async Task A_request_beyond_the_rate_limit_is_refused_before_the_body(string limits)
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, limits);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Call("whoami")));
        Assert.Equal(429, await HeadAsync(server, McpCalls.Acme));

        // It is not one of a bad token, which is told so first.
        Assert.Equal(401, await HeadAsync(server, "nonsense"));
    }

    [Fact]
    public async Task A_request_without_credentials_beyond_their_limit_is_refused_before_the_body()
    {
        await using var server = await StartAsync();
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => StatusAsync(server, McpCalls.Call("get_products"), token: null)));
        Assert.Contains(HttpStatusCode.TooManyRequests, all);
        Assert.Equal(429, await HeadAsync(server, token: null));
    }

    [Theory]
    [InlineData("Mcp-Session-Id: foreign")]
    [InlineData("Mcp-Session-Id: ")]
    [InlineData("Mcp-Session-Id: {0}\r\nMcp-Session-Id: {0}")]
    public async Task A_foreign_session_is_refused_before_the_body(string header)
    {
        await using var server = await StartAsync();
        var (own, other) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", Second));
        Assert.Equal(
            404,
            await HeadAsync(server, McpCalls.Acme, string.Format(System.Globalization.CultureInfo.InvariantCulture, header, own))
        );
        Assert.Equal(404, await HeadAsync(server, McpCalls.Acme, $"Mcp-Session-Id: {other}"));
    }

    [Fact]
    public async Task A_head_that_is_in_order_is_answered_when_its_body_has_come()
    {
        await using var server = await StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var body = McpCalls.Call("whoami");
        foreach (
            var (token, header) in new[] { (McpCalls.Acme, ""), (McpCalls.Acme, $"\r\nMcp-Session-Id: {session}"), ((string?)null, "") }
        )
        {
            using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", token, $"Content-Length: {body.Length}{header}");
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, body));
            Assert.False(post.IsAnswered);
            await post.SendAsync(body);
            Assert.Equal(token is null ? 401 : 200, (await post.ReadAsync()).Status);
        }
    }

    [Fact]
    public async Task A_body_of_somebody_without_credentials_is_small()
    {
        await using var server = await StartAsync();
        Assert.Equal(413, await HeadAsync(server, token: null, length: MaxAnonymous + 1));
        var body = PaddedCall("get_products", MaxAnonymous);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, body, token: null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, body, token: null, isChunked: true));
        foreach (var isChunked in new[] { false, true })
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await StatusAsync(server, body + " ", token: null, isChunked: isChunked));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, body + " ", isChunked: isChunked));
        }

        // What comes in pieces is refused with the piece that is too much.
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", token: null, "Transfer-Encoding: chunked");
        await post.SendAsync($"{MaxAnonymous:x}\r\n{body}\r\n");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Call("whoami")));
        Assert.False(post.IsAnswered);
        await post.SendAsync("1\r\n \r\n");
        Assert.Equal(413, (await post.ReadAsync()).Status);
    }

    [Fact]
    public async Task Where_a_tenant_asks_nobody_for_credentials_bodies_may_be_large()
    {
        await using var server = await StartAsync(new() { ["Tenancy:Tenants:0:authentication:kind"] = "none" });
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, PaddedCall("whoami", 1_000_000), token: null));
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task What_runs_nothing_costs_nothing_and_takes_no_place(Generation generation, bool hasSession)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(new() { ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1" }, services =>
            services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()))
        );
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        await ChangeAsync(server, """{"limits":{"rateLimit":3}}""");
        string[] bodies =
        [
            McpCalls.Message("ping", generation: generation),
            """{"jsonrpc":"2.0","method":"notifications/initialized"}""",
            """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}""",
            """{"jsonrpc":"2.0","id":5,"result":{}}""",
            """{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"}}""",
            """{"jsonrpc":"2.0","method":"notifications/of/nobody"}""",
        ];

        // Ten times as many as the limit lets through.
        for (var round = 0; round < 5; round++)
        {
            foreach (var body in bodies)
            {
                using var response = await SendAsync(server, body, generation: generation, session: session);
                Assert.True((int)response.StatusCode is 200 or 202 or 400 or 404, $"{(int)response.StatusCode} {body}");
                Assert.False(response.Headers.Contains("RateLimit"), body);
            }
        }

        using (
            var call = await SendAsync(server, McpCalls.Call("whoami", generation: generation), generation: generation, session: session)
        )
        {
            Assert.Equal((HttpStatusCode.OK, 2), (call.StatusCode, Remaining(call)));
        }

        var slow = SendAsync(server, McpCalls.Call("slow", generation: generation), generation: generation, session: session);
        await gate.WaitForAsync(1);
        using (var ping = await SendAsync(server, bodies[0], generation: generation, session: session))
        {
            Assert.Equal(generation == Generation.Sessions ? HttpStatusCode.OK : HttpStatusCode.NotFound, ping.StatusCode);
        }

        using (
            var refused = await SendAsync(
                server,
                McpCalls.Call("whoami", generation: generation).Replace("\"id\":1", "\"id\":2", StringComparison.Ordinal),
                generation: generation,
                session: session
            )
        )
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Contains("under way", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }

        gate.Open();
        using var answer = await slow;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"limits":{"rateLimit":1}}""")]
    [InlineData("""{"limits":{"rateLimitPerCaller":1}}""")]
    public async Task Beyond_the_limit_a_session_takes_what_runs_nothing_and_nothing_else(string limits)
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, limits);
        var (session, other) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", Second));
        using (var spent = await SendAsync(server, McpCalls.Call("whoami"), session: session))
        {
            Assert.Equal((HttpStatusCode.OK, 0), (spent.StatusCode, Remaining(spent)));
        }

        foreach (
            var (body, status) in new[]
            {
                (McpCalls.Message("ping"), HttpStatusCode.OK),
                ("""{"jsonrpc":"2.0","method":"notifications/initialized"}""", HttpStatusCode.Accepted),
                // Nobody runs or asks what they name, and they are told so.
                ("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}""", HttpStatusCode.BadRequest),
                ("""{"jsonrpc":"2.0","id":5,"result":{}}""", HttpStatusCode.BadRequest),
            }
        )
        {
            using var taken = await SendAsync(server, body, session: session);
            Assert.True(taken.StatusCode == status, $"{taken.StatusCode} {body}");
            Assert.False(taken.Headers.Contains("RateLimit"), body);
        }

        using (var call = await SendAsync(server, McpCalls.Call("whoami"), session: session))
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, 0), (call.StatusCode, Remaining(call)));
            Assert.True(call.Headers.RetryAfter!.Delta > TimeSpan.Zero);
            Assert.Equal(1, (int)(await McpCalls.ReadAsync(call))["id"]!);
        }

        // Without a session of one's own, and in a body of whatever length, nothing is read of it.
        Assert.Equal(429, await HeadAsync(server, McpCalls.Acme));
        Assert.Equal(429, await HeadAsync(server, McpCalls.Acme, $"Mcp-Session-Id: {other}"));
        Assert.Equal(429, await HeadAsync(server, McpCalls.Acme, $"Mcp-Session-Id: {session}", length: MaxAnonymous + 1));
    }

    [Fact]
    public async Task What_is_read_beyond_the_limit_is_bounded_for_each_caller()
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":1}}""");
        var (session, other) = (await server.InitializeAsync("acme", McpCalls.Acme), await server.InitializeAsync("acme", Second));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, McpCalls.Call("whoami")));
        Dictionary<HttpStatusCode, int> answers = [];
        for (var i = 0; i < RequestLimits.UpkeepPerMinute + 30; i++)
        {
            using var ping = await SendAsync(server, McpCalls.Message("ping"), session: session);
            answers[ping.StatusCode] = answers.GetValueOrDefault(ping.StatusCode) + 1;
        }

        // A slow machine gives some of them back meanwhile.
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers.Keys.Order());
        Assert.InRange(answers[HttpStatusCode.OK], RequestLimits.UpkeepPerMinute, RequestLimits.UpkeepPerMinute + 29);
        using var theirs = await SendAsync(server, McpCalls.Message("ping"), Second, session: other);
        Assert.Equal(HttpStatusCode.OK, theirs.StatusCode);
    }

    [Fact]
    public async Task The_stream_of_a_session_and_its_end_spend_nothing_of_what_calls_may()
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":1}}""");
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
            Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
            await stream.ReadUntilAsync(OpenStream.Comment);
        }

        using (var list = await SendAsync(server, McpCalls.Message("tools/list"), session: session))
        {
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        }

        // With nothing left, too.
        await using (var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session))
        {
            Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
        }

        using var end = McpCalls.Bodyless(HttpMethod.Delete, server.Port, Way.Path, "acme", McpCalls.Acme, session);
        using var ended = await server.Client.SendAsync(end, Token);
        Assert.True(ended.IsSuccessStatusCode, $"{ended.StatusCode}");
    }

    [Fact]
    public async Task Streams_that_are_opened_again_and_again_are_bounded_for_each_caller()
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":1}}""");
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var last = HttpStatusCode.OK;
        for (var i = 0; i < RequestLimits.UpkeepPerMinute + 30 && last == HttpStatusCode.OK; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
            last = stream.Response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
    }

    [Fact]
    public async Task Where_a_tenant_asks_for_no_credentials_an_address_may_open_as_many_streams_as_it_may_call()
    {
        await using var server = await StartAsync(new() { ["Tenancy:Tenants:0:authentication:kind"] = "none" });
        await ChangeAsync(server, """{"limits":{"rateLimit":100000}}""");
        var session = await server.InitializeAsync("acme", token: null);
        for (var i = 0; i < RequestLimits.UpkeepPerMinute + 30; i++)
        {
            await using var stream = await OpenStream.GetAsync(server, token: null!, session);
            Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
        }
    }

    [Theory]
    [InlineData(Generation.Sessions)]
    [InlineData(Generation.Stateless)]
    public async Task Connections_begin_out_of_a_budget_of_each_callers_own_and_spend_nothing_of_the_tenants(Generation generation)
    {
        await using var server = await StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":60}}""");
        var (begun, refused) = await RushAsync(server, generation, McpCalls.Acme);
        Assert.True(begun >= 60 && refused > 0, $"{begun} {refused}");

        // Another caller has a budget of its own, as large; and calls have the tenant's, all of it.
        using var other = await SendAsync(server, Handshake(generation), Second, generation);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal("\"handshake\";q=60;w=60", other.Headers.GetValues("RateLimit-Policy").Single());
        using var call = await SendAsync(server, McpCalls.Call("whoami"));
        Assert.Equal((HttpStatusCode.OK, 59), (call.StatusCode, Remaining(call)));
    }

    [Fact]
    public async Task Where_nobody_shows_credentials_connections_are_counted_by_address()
    {
        await using var server = await StartAsync(new() { ["Tenancy:Tenants:0:authentication:kind"] = "none" }, services =>
            services.AddSingleton<IStartupFilter, ClientAddresses>()
        );
        await ChangeAsync(server, """{"limits":{"rateLimit":60}}""");
        var (begun, refused) = await RushAsync(server, Generation.Stateless, token: null, "192.0.2.1");
        Assert.True(begun >= 60 && refused > 0, $"{begun} {refused}");
        using var other = await SendAsync(server, Handshake(Generation.Stateless), token: null, Generation.Stateless, address: "192.0.2.2");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Theory]
    [InlineData(Generation.Sessions)]
    [InlineData(Generation.Stateless)]
    public async Task Who_has_no_token_yet_begins_connections_out_of_a_budget_by_address_and_keeps_its_calls(Generation generation)
    {
        await using var server = await StartAsync([], services => services.AddSingleton<IStartupFilter, ClientAddresses>());
        Dictionary<HttpStatusCode, int> answers = [];
        for (var i = 0; i < 70; i++)
        {
            using var begun = await SendAsync(server, Handshake(generation), token: null, generation, address: "192.0.2.1");
            answers[begun.StatusCode] = answers.GetValueOrDefault(begun.StatusCode) + 1;
            Assert.StartsWith("\"handshake\"", begun.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
        }

        // A slow machine gives some of them back meanwhile.
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers.Keys.Order());
        Assert.InRange(answers[HttpStatusCode.OK], RequestLimits.AnonymousPerMinute, 69);
        using var call = await SendAsync(server, McpCalls.Call("whoami"), token: null, address: "192.0.2.1");
        Assert.Equal((HttpStatusCode.Unauthorized, RequestLimits.AnonymousPerMinute - 1), (call.StatusCode, Remaining(call)));
        using var other = await SendAsync(server, Handshake(generation), token: null, generation, address: "192.0.2.2");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task Bodies_under_way_are_bounded_for_each_tenant_and_in_all_and_small_ones_go_on()
    {
        await using var server = await StartAsync(
            new()
            {
                ["Tenancy:MaxRequestBodySize"] = "1000000",
                ["Tenancy:MaxBodyBytesPerTenant"] = "1000000",
                ["Tenancy:MaxBodyBytesPerNode"] = "1500000",
            }
        );
        var budgets = server.Services.GetRequiredService<BodyBudgets>();
        var body = PaddedCall("whoami", 900_000);
        using var first = await BeginAsync("acme", McpCalls.Acme, 700_000);
        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 700_000));

        // The tenant has no room for another one, and its neighbour has.
        using var second = await BeginAsync("acme", Second, 700_000);
        await AssertRefusedAsync(second);
        using var other = await BeginAsync("globex", McpCalls.Globex, 700_000);
        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 1_400_000));

        // Nor has the node.
        using var third = await BeginAsync("globex", McpCalls.Globex, 150_000);
        await AssertRefusedAsync(third);
        foreach (var (tenant, token) in new[] { ("acme", McpCalls.Acme), ("globex", McpCalls.Globex) })
        {
            Assert.StartsWith(
                $"{tenant}|",
                (await server.CallAsync(tenant, token, "whoami"))["content"]![0]!["text"]!.ToString(),
                StringComparison.Ordinal
            );
        }

        // Those that were let in go on: to the end of their connection, or to their own.
        Assert.False(first.IsAnswered || other.IsAnswered);
        other.Dispose();
        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 700_000));
        await first.SendAsync(body[700_000..]);
        Assert.Contains("acme|principal:", (await first.ReadAsync()).Text, StringComparison.Ordinal);
        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 0));

        async Task<RawPost> BeginAsync(string tenant, string token, int sent)
        {
            var post = await RawPost.BeginAsync(server.Port, $"/{tenant}/mcp", token, $"Content-Length: {body.Length}");
            await post.SendAsync(body[..sent]);
            return post;
        }

        static async Task AssertRefusedAsync(RawPost post)
        {
            var answer = await post.ReadAsync();
            Assert.Equal(503, answer.Status);
            Assert.Contains("Retry-After: 1\r\n", answer.Text, StringComparison.Ordinal);
            Assert.Contains("SERVICE_UNAVAILABLE", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_whatever_becomes_of_a_body_nothing_stays_held()
    {
        await using var server = await StartAsync(new() { ["Tenancy:MaxRequestBodySize"] = "1000000" });
        var budgets = server.Services.GetRequiredService<BodyBudgets>();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var arguments = new JsonObject { ["brief"] = new string('x', 200_000) };
        foreach (
            var (body, expected) in new[]
            {
                (PaddedCall("whoami", 500_000), 200),
                (McpCalls.Call("get_products", arguments.DeepClone().AsObject()), 200),
                (McpCalls.Call("fail", new() { ["secret"] = new string('x', 200_000) }), 200),
                (McpCalls.Call("no_such_tool", arguments.DeepClone().AsObject()), 200),
                (McpCalls.Call("get_products", new() { ["brief"] = 5, ["x"] = new string('x', 200_000) }), 200),
                (McpCalls.Message("prompts/list", new() { ["x"] = new string('x', 200_000) }), 200),
                (McpCalls.Message("ping", new() { ["x"] = new string('x', 200_000) }), 200),
                ($$$"""{"jsonrpc":"2.0","method":"notifications/x","params":{"x":"{{{new string('x', 200_000)}}}"}}""", 202),
                (new string(' ', 200_000) + McpCalls.Call("whoami")[..^1], 400),
                ("[" + PaddedCall("whoami", 200_000) + "]", 400),
                (PaddedCall("whoami", 200_000).Replace("\"name\"", "\"name\":\"x\",\"name\"", StringComparison.Ordinal), 400),
                (PaddedCall("whoami", 1_000_001), 413),
            }
        )
        {
            foreach (var isChunked in new[] { false, true })
            {
                foreach (var of in new[] { null, session })
                {
                    using var response = await SendAsync(server, body, session: of, isChunked: isChunked);
                    Assert.True((int)response.StatusCode == expected, $"{(int)response.StatusCode} instead of {expected}: {body[..80]}");
                    await response.Content.ReadAsStringAsync(Token);
                }
            }
        }

        // Clients that go, before all of the body has come.
        var beginning = PaddedCall("whoami", 900_000)[..100_000];
        for (var i = 0; i < 10; i++)
        {
            using var post = await RawPost.BeginAsync(
                server.Port,
                "/acme/mcp",
                McpCalls.Acme,
                i % 2 == 0 ? "Content-Length: 900000" : "Transfer-Encoding: chunked"
            );
            await post.SendAsync(i % 2 == 0 ? beginning : $"186a0\r\n{beginning}\r\n");
            await Poll.UntilAsync(() => Task.FromResult(budgets.Held > 0));
        }

        await Poll.UntilAsync(() => Task.FromResult(budgets.Held == 0));
    }

    private static Task<TenancyServer> StartAsync(Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null)
    {
        var all = new Dictionary<string, string?>(Settings);
        foreach (var (name, value) in settings ?? [])
        {
            all[name] = value;
        }

        if (all.ContainsKey("Tenancy:Tenants:0:authentication:kind"))
        {
            foreach (
                var name in all.Keys.Where(name => name.StartsWith("Tenancy:Tenants:0:principals", StringComparison.Ordinal)).ToArray()
            )
            {
                all.Remove(name);
            }
        }

        return TenancyServer.StartAsync(settings: all, services: services);
    }

    // The head alone: whoever waits for the body does not answer.
    private static async Task<int> HeadAsync(TenancyServer server, string? token, string? header = null, int length = 10_000)
    {
        using var post = await RawPost.BeginAsync(
            server.Port,
            "/acme/mcp",
            token,
            $"Content-Length: {length}{(header is null ? "" : "\r\n" + header)}"
        );
        return (await post.ReadAsync()).Status;
    }

    private static string PaddedCall(string tool, int length)
    {
        var call = McpCalls.Call(tool);
        return call + new string(' ', length - call.Length);
    }

    // A few at once, as each is counted as a request until it is known what it is.
    private static async Task<(int Begun, int Refused)> RushAsync(
        TenancyServer server,
        Generation generation,
        string? token,
        string? address = null
    )
    {
        var clock = Stopwatch.StartNew();
        var (begun, refused) = (0, 0);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 200),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Token },
            async (_, _) =>
            {
                using var response = await SendAsync(server, Handshake(generation), token, generation, address: address);
                Interlocked.Add(ref response.StatusCode == HttpStatusCode.OK ? ref begun : ref refused, 1);
                Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests, $"{response.StatusCode}");
                Assert.StartsWith("\"handshake\"", response.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
            }
        );
        Assert.InRange(begun, 60, 61 + (int)clock.Elapsed.TotalSeconds);
        return (begun, refused);
    }

    private static string Handshake(Generation generation) =>
        generation == Generation.Sessions ? McpCalls.Initialize() : McpCalls.Message("server/discover", generation: generation);

    private static int Remaining(HttpResponseMessage response) =>
        int.Parse(
            response.Headers.GetValues("RateLimit").Single().Split(";r=")[1].Split(';')[0],
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static async Task ChangeAsync(TenancyServer server, string patch)
    {
        using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", patch);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task<HttpStatusCode> StatusAsync(
        TenancyServer server,
        string body,
        string? token = McpCalls.Acme,
        bool isChunked = false
    )
    {
        using var response = await SendAsync(server, body, token, isChunked: isChunked);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TenancyServer server,
        string body,
        string? token = McpCalls.Acme,
        Generation? generation = null,
        string? session = null,
        bool isChunked = false,
        string? address = null
    )
    {
        var isModern = generation == Generation.Stateless && JsonNode.Parse(body)!["method"] is not null;
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            token,
            isModern ? body : "{}",
            isModern ? generation : null,
            session
        );
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new("application/json") } };
        request.Headers.TransferEncodingChunked = isChunked ? true : null;
        if (address is not null)
        {
            request.Headers.Add(ClientAddresses.HeaderName, address);
        }

        return await server.Client.SendAsync(request, Token);
    }
}
