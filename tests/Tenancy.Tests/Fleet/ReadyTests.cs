using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>Ready tells apart what a store forgets and what it keeps.</summary>
[Tier(Tier.Process)]
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
        await Poll.UntilAsync(async () => await StoreAsync(server) == "away");
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
        await Poll.UntilAsync(async () => await StoreAsync(server) == "memory-only");
    }

    [Fact]
    public async Task The_store_is_asked_once_a_second_at_most_however_often_readiness_is_asked_for()
    {
        await using var redis = await RedisServer.StartAsync();
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(redis: redis, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        await StoreAsync(server);
        var (before, began) = (await CountAsync(server), TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => StoreAsync(server)));
        for (var i = 0; i < 50; i++)
        {
            await StoreAsync(server);
        }

        // Two questions each time, and one of this test's own.
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        Assert.InRange(await CountAsync(server) - before - 1, 0, 2 * (1 + Math.Floor(seconds)));

        clock.Advance(TimeSpan.FromSeconds(1));
        before = await CountAsync(server);
        await StoreAsync(server);
        Assert.InRange(await CountAsync(server) - before - 1, 2, 4);
    }

    [Fact]
    public async Task A_store_of_which_no_primary_is_known_is_away_for_the_moment()
    {
        await using var primary = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync();
        await replica.ExecuteAsync("REPLICAOF", "127.0.0.1", primary.Port);

        // As in a failover: the one server that is reached is not the primary, or not yet.
        await using var store = new TestStore(ConfigurationOptions.Parse(replica.ConnectionString), TimeProvider.System);
        Assert.Equal(StoreDurability.Away, await new StoreDurabilityProbe(store.Redis, TimeProvider.System).GetAsync());
    }

    // How often the store was asked what it says of itself.
    private static async Task<int> CountAsync(TenancyServer server)
    {
        var stats = await server.Services.GetRequiredService<RedisConnection>().GetInfoAsync("commandstats");
        return int.Parse(
            Regex.Match(stats, "cmdstat_info:calls=([0-9]+)").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture
        );
    }

    private static async Task<string?> StoreAsync(TenancyServer server)
    {
        using var response = await server.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.True(
            response.StatusCode == HttpStatusCode.OK,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        var ready = await McpCalls.ReadAsync(response);
        Assert.Equal("ready", ready["status"]!.ToString());
        return ready["store"]?.ToString();
    }
}
