using System.Net;
using System.Net.Sockets;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The commands of docs/operate.md back a store up, and a server on the restored one goes on.</summary>
[Tier(Tier.Process)]
public sealed class BackupCommandsTests
{
    private static readonly Page Page = Page.Read("docs/operate.md");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void The_tests_of_this_class_run_all_commands() => Assert.Equal(3, Page.Scripts().Count());

    [Fact]
    public async Task A_restored_backup_has_tenants_tokens_and_documents()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePort();
        await using var shell = new Shell(("PORT", $"{redis.Port}"), ("NEW_PORT", $"{port}"));
        var blocks = Page.Scripts().Where(script => script.Contains("PORT", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, blocks.Length);
        string bought;
        await using (var before = await TenancyServer.StartAsync(redis: redis))
        {
            var answer = await before.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
            bought = (string)answer["structuredContent"]!["media_buy_id"]!;
        }

        await shell.RunAsync(blocks[0], Token);
        await redis.StopAsync();
        try
        {
            await shell.RunAsync(blocks[1], Token);
            await using var after = await TenancyServer.StartAsync(
                settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
                {
                    ["ConnectionStrings:Redis"] = $"127.0.0.1:{port}{RedisServer.Patience}",
                }
            );
            var answer = await after.CallAsync("acme", McpCalls.Acme, "get_media_buys");
            Assert.Equal(bought, (string)answer["structuredContent"]!["media_buys"]![0]!["media_buy_id"]!);
            Assert.Contains("durable", await after.Client.GetStringAsync("/health/ready", Token), StringComparison.Ordinal);
        }
        finally
        {
            await shell.RunAsync("redis-cli -p $NEW_PORT shutdown nosave || true", CancellationToken.None);
        }
    }

    [Fact]
    public async Task The_commands_of_health_answer()
    {
        await using var server = await TenancyServer.StartAsync();
        await using var shell = new Shell(("SERVER", $"http://localhost:{server.Port}"));
        var block = Page.Scripts().First(script => script.Contains("/health/ready", StringComparison.Ordinal));
        Assert.Equal("{\"status\":\"ready\",\"store\":\"memory-only\"}200", (await shell.RunAsync(block, Token)).Trim());
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
