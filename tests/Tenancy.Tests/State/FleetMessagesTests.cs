using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What nodes tell each other, where the store lets them.</summary>
[Tier(Tier.Process)]
public sealed class FleetMessagesTests
{
    [Fact]
    public async Task Who_may_listen_after_many_tries_is_told_of_each_message_once()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System);
        await using var teller = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await redis.ExecuteAsync("ACL", "SETUSER", "default", "resetchannels");
        var messages = new FleetMessages(store.Redis, NullLogger<FleetMessages>.Instance);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<string>();
        messages.Listen(message => heard.Enqueue(message.Detail));
        for (var i = 0; i < 5; i++)
        {
            await messages.StartAsync();
        }

        await redis.ExecuteAsync("ACL", "SETUSER", "default", "allchannels");
        await messages.StartAsync();
        await TellAsync("one");
        await TellAsync("two");

        // Two that come close after one another may be told of in either order.
        await Poll.UntilAsync(() => Task.FromResult(heard.Contains("one") && heard.Contains("two")));
        Assert.Equal(["one", "two"], heard.Order(StringComparer.Ordinal));

        Task TellAsync(string detail) =>
            teller
                .GetSubscriber()
                .PublishAsync(
                    RedisChannel.Literal("{tenants}:messages"),
                    new FleetMessage(FleetTopic.Tenant, TenantId.Parse("acme"), detail).Write("another")
                );
    }
}
