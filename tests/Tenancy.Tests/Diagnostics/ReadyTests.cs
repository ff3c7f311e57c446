using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Diagnostics;

/// <summary>Ready tells apart what a store forgets and what it keeps.</summary>
public sealed class ReadyTests
{
    [Fact]
    public async Task The_embedded_store_is_memory_only()
    {
        await using var server = await TenancyServer.StartAsync();
        Assert.Equal("memory-only", await StoreAsync(server));
    }

    [Fact]
    public async Task A_redis_with_an_append_only_file_is_durable_and_one_that_does_not_answer_is_away()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        Assert.Equal("durable", await StoreAsync(server));
        await redis.StopAsync();
        Assert.Equal("away", await StoreAsync(server));
    }

    [Fact]
    public async Task A_redis_without_one_is_memory_only_and_one_with_a_replica_is_replicated()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        await replica.ExecuteAsync("REPLICAOF", "127.0.0.1", redis.Port);
        await Poll.UntilAsync(async () => await StoreAsync(server) == "replicated");
        await redis.ExecuteAsync("CONFIG", "SET", "appendonly", "no");
        Assert.Equal("memory-only", await StoreAsync(server));
    }

    private static async Task<string?> StoreAsync(TenancyServer server)
    {
        using var response = await server.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var ready = await McpCalls.ReadAsync(response);
        Assert.Equal("ready", ready["status"]!.ToString());
        return ready["store"]?.ToString();
    }
}
