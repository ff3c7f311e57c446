using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A request makes as few trips to the store as it can: they are counted, beside what the handler does.</summary>
[Tier(Tier.Process)]
public sealed class RequestRoundTripTests
{
    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_busy_tenants_request_makes_no_trip_and_a_mutating_one_two(StoreKind store)
    {
        ProfilingSession? session = null;

        // A token is asked for again after a second, as are a limit and a session, which on a busy machine may lie between two requests.
        var standing = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StartAsync(store, standing, () => session);

        // A neighbour that is refused all the time costs the others no trip.
        using var limited = await server.AdminAsync(HttpMethod.Patch, "/globex", """{"limits":{"rateLimit":1}}""");
        for (var i = 0; i < 3; i++)
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "globex", McpCalls.Globex, McpCalls.Call("get_products"));
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(i == 0 ? System.Net.HttpStatusCode.OK : System.Net.HttpStatusCode.TooManyRequests, response.StatusCode);
        }

        // Its slice grows with what it needs.
        var sessionId = await server.InitializeAsync("acme", McpCalls.Acme);
        for (var i = 0; i < 12; i++)
        {
            await server.CallAsync("acme", McpCalls.Acme, "get_products");
        }

        (string Name, int Trips, Func<Task> SendAsync)[] requests =
        [
            // Few are allowed: each is counted for all nodes at once.
            ("anonymous", 1, () => server.CallAsync("acme", null, "get_products")),
            ("bearer", 0, () => server.CallAsync("acme", McpCalls.Acme, "get_products")),
            ("bearer, 2026", 0, () => server.CallAsync("acme", McpCalls.Acme, "get_products", generation: Generation.Stateless)),
            ("bearer and session", 0, () => server.CallAsync("acme", McpCalls.Acme, "get_products", sessionId: sessionId)),
            ("by host", 0, () => server.CallAsync("acme", McpCalls.Acme, "get_products", way: Way.Host)),
            // The claim, and the commit of the document with the answer.
            ("mutating", 2, () => server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy())),
        ];
        foreach (var request in requests)
        {
            // The first teaches the server the scripts, and the node the token.
            await request.SendAsync();
            session = new();
            await request.SendAsync();
            var commands = session.FinishProfiling().Select(command => command.Command).Where(command => command is not "PING").ToArray();
            session = null;
            Assert.True(commands.Length == request.Trips, $"{request.Name}: {string.Join(", ", commands)}");
        }
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_thousand_calls_in_a_second_run_fewer_than_twenty_scripts(StoreKind store)
    {
        ProfilingSession? session = null;
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StartAsync(store, time, () => session);
        using var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"rateLimit":60000}}""");
        session = new();
        for (var i = 0; i < 1000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await server.CallAsync("acme", McpCalls.Acme, "get_products");
        }

        Assert.InRange(session.FinishProfiling().Count(command => command.Command is "EVAL" or "EVALSHA"), 1, 19);
    }

    private static Task<TenancyServer> StartAsync(StoreKind store, TimeProvider time, Func<ProfilingSession?> profiler) =>
        TenancyServer.StartAsync(store, services: services =>
            services
                .AddSingleton(time)
                .AddSingleton(provider => new RedisConnection(
                    provider.GetRequiredService<IConfiguration>(),
                    provider.GetRequiredService<IHostEnvironment>(),
                    provider.GetRequiredService<IOptions<TenancyOptions>>(),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<RedisConnection>>(),
                    provider.GetService<IEmbeddedStore>()
                )
                {
                    Profiler = profiler,
                })
        );
}
