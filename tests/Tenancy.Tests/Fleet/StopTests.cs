using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>A server that is told to stop loses nothing of what it has begun.</summary>
[Tier(Tier.Process)]
public sealed class StopTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_handler_whose_client_left_is_waited_for_and_its_answer_is_kept()
    {
        await using var redis = await RedisServer.StartAsync();
        using var gate = new SlowTools.Gate();
        var buy = McpCalls.CreateBuy();
        await using var stopped = await StartAsync(redis, gate);
        await LeaveAsync(stopped, gate, "slow_buy", buy);
        var stopping = stopped.App.StopAsync(Token);
        await Poll.UntilAsync(() => Task.FromResult(IsClosed(stopped)));
        Assert.False(stopping.IsCompleted);
        gate.Open();
        await stopping;

        await using var other = await StartAsync(redis, gate);
        await other.CallAsync("acme", McpCalls.Acme, "slow_buy", (System.Text.Json.Nodes.JsonObject)buy.DeepClone());
        Assert.Single(gate.Runs);
    }

    [Fact]
    public async Task A_handler_without_a_key_that_goes_on_although_its_client_left_is_waited_for_and_counted_as_what_it_came_to()
    {
        await using var redis = await RedisServer.StartAsync();
        using var gate = new SlowTools.Gate { IgnoresTime = true };
        await using var stopped = await StartAsync(redis, gate);
        await LeaveAsync(stopped, gate, "slow", []);
        var stopping = stopped.App.StopAsync(Token);
        await Poll.UntilAsync(() => Task.FromResult(IsClosed(stopped)));
        Assert.False(stopping.IsCompleted);

        // The web server has let go of the request by then.
        var running = stopped.Services.GetRequiredService<ClaimedCalls>();
        await Poll.UntilAsync(() => Task.FromResult(running.Count == 1));
        Assert.False(stopping.IsCompleted);
        gate.Open();
        await stopping;

        await using var other = await StartAsync(redis, gate);
        var used = await other
            .Services.GetRequiredService<UsageStore>()
            .ReadAsync(TenantId.Parse("acme"), DateOnly.MinValue, DateOnly.MaxValue);
        Assert.Equal(["slow ok 1"], used.SelectMany(day => day.Rows).Select(row => $"{row.Tool} {row.Outcome} {row.Calls}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_key_of_a_handler_that_must_be_ended_is_free_for_another_node(bool ignoresItsToken)
    {
        await using var redis = await RedisServer.StartAsync();
        using var gate = new SlowTools.Gate { IgnoresTime = ignoresItsToken };
        var buy = McpCalls.CreateBuy();
        await using (var stopped = await StartAsync(redis, gate, TimeSpan.FromMilliseconds(100)))
        {
            await LeaveAsync(stopped, gate, "slow_buy", buy);

            // The host says that it could not stop everything in time.
            await Record.ExceptionAsync(() => stopped.App.StopAsync(Token));
            Assert.Single(gate.Runs);
        }

        using var open = new SlowTools.Gate();
        open.Open();
        await using var other = await StartAsync(redis, open);
        await other.CallAsync("acme", McpCalls.Acme, "slow_buy", (System.Text.Json.Nodes.JsonObject)buy.DeepClone());

        // The same work under the same name, so that what was done elsewhere is not done twice.
        Assert.Equal(gate.Runs.Single(), open.Runs.Single());
    }

    private static Task<TenancyServer> StartAsync(RedisServer redis, SlowTools.Gate gate, TimeSpan? time = null) =>
        TenancyServer.StartAsync(redis: redis, services: services =>
        {
            services.AddSingleton(gate);
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()));
            services.Configure<HostOptions>(options => options.ShutdownTimeout = time ?? TimeSpan.FromSeconds(30));
        });

    private static async Task LeaveAsync(
        TenancyServer server,
        SlowTools.Gate gate,
        string tool,
        System.Text.Json.Nodes.JsonObject arguments
    )
    {
        using var leaves = new CancellationTokenSource();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool, arguments));
        var sending = server.Client.SendAsync(request, leaves.Token);
        await gate.WaitForAsync(1);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private static bool IsClosed(TenancyServer server)
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        try
        {
            socket.Connect(System.Net.IPAddress.Loopback, server.Port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}
