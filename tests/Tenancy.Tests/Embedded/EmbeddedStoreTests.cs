using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Tenancy.Embedded;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Embedded;

/// <summary>The embedded store is this process's own.</summary>
[Tier(Tier.Server)]
public sealed class EmbeddedStoreTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_answers_who_has_its_password_and_nobody_else(bool useLoopback)
    {
        using var store = new EmbeddedStore(NullLoggerFactory.Instance) { UseLoopback = useLoopback };
        var settings = store.Start();
        Assert.Equal(useLoopback ? typeof(IPEndPoint) : typeof(UnixDomainSocketEndPoint), settings.EndPoints.Single().GetType());
        await using (var connection = await ConnectionMultiplexer.ConnectAsync(settings.Clone()))
        {
            Assert.True(await connection.GetDatabase().StringSetAsync("key", "value"));
        }

        foreach (var password in new[] { null, "", "guess" })
        {
            var stranger = settings.Clone();
            (stranger.Password, stranger.AbortOnConnectFail, stranger.ConnectRetry) = (password, true, 0);
            await Assert.ThrowsAnyAsync<RedisException>(async () =>
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(stranger);
                await connection.GetDatabase().StringGetAsync("key");
            });
        }
    }

    [Fact]
    public void Its_socket_lies_where_only_this_user_can_go_and_is_gone_with_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There are no modes of Unix sockets here.");
            return;
        }

        string path;
        using (var store = new EmbeddedStore(NullLoggerFactory.Instance))
        {
            path = store.Start().EndPoints.Single().ToString()!;
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.GetDirectoryName(path)!)
            );
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(path)));
    }

    [Fact]
    public void It_is_started_once()
    {
        using var store = new EmbeddedStore(NullLoggerFactory.Instance);
        Assert.Equal(store.Start().EndPoints.Single(), store.Start().EndPoints.Single());
    }

    [Fact]
    public async Task Two_of_them_share_nothing()
    {
        using var one = new EmbeddedStore(NullLoggerFactory.Instance);
        using var two = new EmbeddedStore(NullLoggerFactory.Instance);
        await using var first = await ConnectionMultiplexer.ConnectAsync(one.Start());
        await using var second = await ConnectionMultiplexer.ConnectAsync(two.Start());
        await first.GetDatabase().StringSetAsync("key", "value");
        Assert.True((await second.GetDatabase().StringGetAsync("key")).IsNull);
    }
}
