using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A server that is told to end, as a platform tells it: this assembly runs itself for the server.</summary>
[Tier(Tier.Process)]
public sealed class TerminationTests
{
    [Fact]
    public async Task Calls_under_way_are_answered_after_SIGTERM_and_then_the_server_ends()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        await using var redis = await RedisServer.StartAsync();
        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System);
        var raw = await store.RawAsync();
        using var server = TestProcess.Start<TerminationTests>(nameof(Serve_until_told_to_end), redis.ConnectionString);
        var port = (int)await WaitForAsync(raw, "port");
        using var client = new HttpClient();
        var calls = Enum.GetValues<Generation>().Select(generation => CallAsync(client, port, generation)).ToArray();
        await WaitForAsync(raw, "entered");

        using (var kill = Process.Start("kill", ["-TERM", server.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await WaitForAsync(raw, "stopping");
        Assert.DoesNotContain(calls, call => call.IsCompleted);
        await raw.StringSetAsync("open", 1);
        Assert.Equal(["acme", "acme"], await Task.WhenAll(calls));
        await server.EndAsync();
    }

    [Fact(Explicit = true)]
    public async Task Serve_until_told_to_end()
    {
        await using var store = TestProcess.OfParent();
        var raw = await store.RawAsync();
        using var gate = new SlowTools.Gate();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()))
        );
        server.App.Lifetime.ApplicationStopping.Register(() => raw.StringSet("stopping", 1));
        await raw.StringSetAsync("port", server.Port);
        await gate.WaitForAsync(2);
        await raw.StringSetAsync("entered", 1);
        await WaitForAsync(raw, "open");
        gate.Open();
        await server.App.WaitForShutdownAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string> CallAsync(HttpClient client, int port, Generation generation)
    {
        using var request = McpCalls.Post(port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("slow", null, generation), generation);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (string)(await McpCalls.ReadAsync(response))["result"]!["content"]![0]!["text"]!;
    }

    private static async Task<RedisValue> WaitForAsync(IDatabase store, string key)
    {
        await Poll.UntilAsync(async () => await store.KeyExistsAsync(key));
        return await store.StringGetAsync(key);
    }
}
