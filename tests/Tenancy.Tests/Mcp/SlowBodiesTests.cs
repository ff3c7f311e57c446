using System.Net;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Mcp.Platforms;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A body that does not arrive ends its request in bounded time, and costs nobody anything meanwhile.</summary>
[Tier(Tier.Server)]
public sealed class SlowBodiesTests
{
    // As no other timer of the server has it.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(37);

    private static Dictionary<string, string?> Settings { get; } =
        new(TenancyServer.DefaultSettings) { ["Tenancy:RequestBodyTimeout"] = "00:00:37" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Content-Length: 1000000", "{", " ")]
    [InlineData("Content-Length: 1000000", "", " ")]
    [InlineData("Transfer-Encoding: chunked", "1\r\n{\r\n", "1\r\n \r\n")]
    public async Task A_body_that_trickles_is_refused_when_its_time_is_over_and_the_connection_ends(
        string promise,
        string first,
        string drop
    )
    {
        var clock = new DeadlineClock();
        await using var server = await StartAsync(clock);
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", McpCalls.Acme, promise);
        await post.SendAsync(first);
        await clock.WaitForAsync(1);
        for (var second = 1; second < Timeout.TotalSeconds; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await post.SendAsync(drop);
        }

        // Whoever else is served by now would have been told before.
        Assert.Equal("acme", await WhoAsync(server, "acme"));
        Assert.False(post.IsAnswered);

        clock.Advance(TimeSpan.FromSeconds(1));
        var answer = await post.EndAsync();
        Assert.Equal(408, answer.Status);
        Assert.Contains("Connection: close", answer.Text, StringComparison.Ordinal);
        Assert.Contains("\"code\":-32600", answer.Text, StringComparison.Ordinal);
        Assert.Contains("took too long", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_body_that_comes_in_time_is_a_call_like_any_other()
    {
        var clock = new DeadlineClock();
        await using var server = await StartAsync(clock);
        var body = McpCalls.Call("whoami");
        using var post = await RawPost.BeginAsync(
            server.Port,
            "/acme/mcp",
            McpCalls.Acme,
            $"Connection: close\r\nContent-Length: {body.Length}"
        );
        await post.SendAsync(body[..20]);
        await clock.WaitForAsync(1);
        clock.Advance(Timeout - TimeSpan.FromSeconds(1));
        await post.SendAsync(body[20..]);
        var answer = await post.EndAsync();
        Assert.Equal(200, answer.Status);
        Assert.Contains("acme|principal:", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_bodies_are_counted_but_take_no_place_and_nobody_waits_for_them()
    {
        var clock = new DeadlineClock();
        await using var server = await StartAsync(clock);
        using (
            var changed = await server.AdminAsync(
                HttpMethod.Patch,
                "/acme",
                """{ "limits": { "maxConcurrentCalls": 1, "rateLimit": 30 } }"""
            )
        )
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        var posts = new List<RawPost>();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                // With its credentials, and without: a tool may be open to anybody, which only the body says.
                posts.Add(await RawPost.BeginAsync(server.Port, "/acme/mcp", i % 2 == 0 ? McpCalls.Acme : null, "Content-Length: 50000"));
                await posts[i].SendAsync("{");
            }

            await clock.WaitForAsync(posts.Count);
            // Ten came with credentials, and this is one more. (The clock that stands still and the one of the store differ by a
            // millisecond at times.)
            Assert.InRange(await RemainingAsync(server), 18, 19);
            Assert.Equal("globex", await WhoAsync(server, "globex"));
            Assert.DoesNotContain(posts, post => post.IsAnswered);

            clock.Advance(Timeout);
            foreach (var post in posts)
            {
                Assert.Equal(408, (await post.EndAsync()).Status);
            }

            Assert.Equal("acme", await WhoAsync(server, "acme"));
        }
        finally
        {
            posts.ForEach(post => post.Dispose());
        }
    }

    [Theory]
    [InlineData(null, "whoami", 401, "-32028")]
    [InlineData(McpCalls.Acme, "scoped", 403, "-32028")]
    [InlineData(McpCalls.Acme, "\\ud800", 400, "-32700")]
    public async Task Who_may_not_call_a_tool_is_told_so_before_all_arguments_are_there(string? token, string tool, int status, string code)
    {
        await using var server = await StartAsync(new());
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", token, "Content-Length: 60000");
        await post.SendAsync($$"""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"{{tool}}","arguments":{"a":"b""");
        var answer = await post.ReadAsync();
        Assert.Equal(status, answer.Status);
        Assert.Contains($"\"code\":{code}", answer.Text, StringComparison.Ordinal);
        Assert.Contains("\"id\":7", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_call_a_tool_is_not_answered_before_all_arguments_are_there()
    {
        var clock = new DeadlineClock();
        await using var server = await StartAsync(clock);
        var body = McpCalls.Call("whoami");
        using var post = await RawPost.BeginAsync(
            server.Port,
            "/acme/mcp",
            McpCalls.Acme,
            $"Connection: close\r\nContent-Length: {body.Length}"
        );
        foreach (var one in body[..^1])
        {
            await post.SendAsync($"{one}");
        }

        await clock.WaitForAsync(1);
        Assert.False(post.IsAnswered);
        await post.SendAsync(body[^1..]);
        Assert.Equal(200, (await post.EndAsync()).Status);
    }

    [Fact]
    public async Task A_bad_token_is_refused_before_its_body_is_waited_for()
    {
        await using var server = await StartAsync(new());
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", McpCalls.Globex);
        Assert.Equal(401, (await post.ReadAsync()).Status);
    }

    [Fact]
    public async Task On_http2_the_one_request_ends_and_the_others_of_its_connection_go_on()
    {
        var clock = new DeadlineClock();
        await using var server = await StartAsync(clock, kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)
        );
        using var content = new EndlessContent { Headers = { ContentType = new("application/json") } };
        using var slow = Http2(server, content);
        var waiting = server.Client.SendAsync(slow, Token);
        await clock.WaitForAsync(1);
        clock.Advance(Timeout);
        using var refused = await waiting;
        Assert.Equal(HttpStatusCode.RequestTimeout, refused.StatusCode);
        Assert.Contains("took too long", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);

        using var next = Http2(server, new StringContent(McpCalls.Call("whoami"), Encoding.UTF8, "application/json"));
        using var served = await server.Client.SendAsync(next, Token);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    [Fact]
    public async Task A_body_below_Kestrels_least_rate_gets_the_same_answer()
    {
        await using var server = await StartAsync(new(), kestrel =>
            kestrel.Limits.MinRequestBodyDataRate = new(240, TimeSpan.FromSeconds(1.5))
        );
        using var post = await RawPost.BeginAsync(server.Port, "/acme/mcp", McpCalls.Acme);
        await post.SendAsync("{");
        var answer = await post.EndAsync();
        Assert.Equal(408, answer.Status);
        Assert.Contains("took too long", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kestrels_least_rate_is_on()
    {
        await using var server = await TenancyServer.StartAsync();
        var rate = server.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MinRequestBodyDataRate!;
        Assert.Equal((240, TimeSpan.FromSeconds(5)), (rate.BytesPerSecond, rate.GracePeriod));
    }

    // Without Kestrel's own rate, whose clock is not the test's.
    private static Task<TenancyServer> StartAsync(DeadlineClock clock, Action<KestrelServerOptions>? configure = null) =>
        TenancyServer.StartAsync(settings: Settings, services: services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<ScopedTools>()));
            services.Configure<KestrelServerOptions>(kestrel =>
            {
                kestrel.Limits.MinRequestBodyDataRate = null;
                configure?.Invoke(kestrel);
            });
        });

    private sealed class ScopedTools
    {
        [McpServerTool(Name = "scoped"), RequireScope("buy")]
        public static string Scoped() => "done";
    }

    private static async Task<string> WhoAsync(TenancyServer server, string tenant) =>
        (await server.CallAsync(tenant, $"{tenant}.dev-buyer", "whoami"))["content"]![0]!["text"]!.ToString().Split('|')[0];

    private static async Task<int> RemainingAsync(TenancyServer server)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return int.Parse(
            response.Headers.GetValues("RateLimit").Single().Split(";r=")[1].Split(';')[0],
            System.Globalization.CultureInfo.InvariantCulture
        );
    }

    private static HttpRequestMessage Http2(TenancyServer server, HttpContent content)
    {
        var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, "{}");
        request.Content = content;
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        return request;
    }

    /// <summary>A clock that the test moves, and that tells when a body is waited for.</summary>
    private sealed class DeadlineClock() : FakeTimeProvider(DateTimeOffset.UtcNow)
    {
        private readonly SemaphoreSlim _bodies = new(0);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == Timeout)
            {
                _bodies.Release();
            }

            return timer;
        }

        public async Task WaitForAsync(int bodies)
        {
            for (var i = 0; i < bodies; i++)
            {
                Assert.True(await _bodies.WaitAsync(TimeSpan.FromSeconds(20), Token), "The server waits for no body.");
            }
        }
    }

    /// <summary>A body that begins and never ends.</summary>
    private sealed class EndlessContent : HttpContent
    {
        private readonly TaskCompletionSource _end = new();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{"u8.ToArray(), Token);
            await stream.FlushAsync(Token);
            await _end.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            _end.TrySetCanceled();
            base.Dispose(disposing);
        }
    }
}
