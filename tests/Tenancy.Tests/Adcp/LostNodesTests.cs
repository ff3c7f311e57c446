using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>
/// A server that is killed, or a store whose primary dies, leaves nothing half done, and the same request sent again finishes it.
/// </summary>
[Tier(Tier.Process)]
public sealed class LostNodesTests
{
    private const int MaxCommands = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_that_is_killed_at_any_command_of_a_write_leaves_all_of_it_or_nothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new StoreProxy(new IPEndPoint(IPAddress.Loopback, redis.Port));
        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System);
        var raw = await store.RawAsync();
        await raw.StringSetAsync("proxy", $"127.0.0.1:{((IPEndPoint)proxy.EndPoint).Port}");
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var other = await TenancyServer.StartAsync(redis: redis, services: services => Add(services, time));
        var (total, kills) = (0, 0);

        // A process that is killed before a command leaves the store as one that is killed after the command before it. The first has none.
        if (await IsKilledAsync(1, afterIt: false))
        {
            kills++;
        }

        for (var number = 1; await IsKilledAsync(number, afterIt: true); number++)
        {
            kills++;
            Assert.True(number < MaxCommands, $"It was killed {number} times, and does not end.");
        }

        // Three ids are looked at; before and after them are the claim and the commit.
        Assert.InRange(kills, 6, 9);

        async Task<bool> IsKilledAsync(int number, bool afterIt)
        {
            var key = $"{Guid.NewGuid():N}";
            using var process = TestProcess.Start<LostNodesTests>(nameof(Serve_one_request), redis.ConnectionString);
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
            enough.CancelAfter(TimeSpan.FromMinutes(2));
            try
            {
                await Poll.UntilAsync(async () => !(await raw.StringGetDeleteAsync("ready")).IsNull, seconds: 120);
                proxy.Arm(number, afterIt, () =>
                {
                    process.Kill();
                    return Task.CompletedTask;
                });
                await raw.StringSetAsync("key", key);
                await process.StandardOutput.ReadToEndAsync(enough.Token);
                await process.WaitForExitAsync(enough.Token);
            }
            finally
            {
                process.Kill(entireProcessTree: true);
            }

            proxy.Arm(0, afterIt: false);
            var wasKilled = process.ExitCode != 0;

            // The process wrote three to begin with.
            total += 3;
            var there = (await NumbersAsync(other)).Length - total;
            Assert.True(there == 3 || (wasKilled && there == 0), $"{there} of 3 after a kill at command {number}.");

            // A claim that nobody gave back ends by itself.
            await Poll.UntilAsync(async () =>
            {
                time.Advance(TimeSpan.FromSeconds(70));
                return await TryAsync(other, key);
            });
            total += 3;
            Assert.Equal(total, (await NumbersAsync(other)).Length);
            return wasKilled;
        }
    }

    [Fact(Explicit = true)]
    public async Task Serve_one_request()
    {
        await using var parent = TestProcess.OfParent();
        var raw = await parent.RawAsync();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["ConnectionStrings:Redis"] = await raw.StringGetAsync("proxy") + RedisServer.Patience,
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            Add(services, TimeProvider.System)
        );

        // The first teaches the store the scripts.
        Assert.True(await TryAsync(server, $"{Guid.NewGuid():N}"));
        await raw.StringSetAsync("ready", 1);
        RedisValue key;
        while ((key = await raw.StringGetDeleteAsync("key")).IsNull)
        {
            Token.ThrowIfCancellationRequested();
        }

        Assert.True(await TryAsync(server, key.ToString()));
    }

    [Fact]
    public async Task When_a_replica_takes_over_no_write_is_half_done_and_each_is_finished_once()
    {
        await using var primary = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        var time = new MovableClock();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["ConnectionStrings:Redis"] = $"{primary.ConnectionString},{replica.ConnectionString}{RedisServer.Patience}",
            ["Tenancy:Tenants:0:limits:rateLimit"] = "600000",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services => Add(services, time));
        string[] keys = [.. Enumerable.Range(0, 60).Select(_ => $"{Guid.NewGuid():N}")];
        foreach (var key in keys.Take(10))
        {
            Assert.True(await TryAsync(server, key));
        }

        await UntilReplicatedAsync(replica);
        var begun = new CountdownEvent(3);
        var writing = Task.WhenAll(keys.Chunk(8).Select(few => Task.Run(() => SendAllAsync(few), Token)));
        await Task.Run(() => begun.Wait(Token), Token);
        await primary.StopAsync();
        await replica.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await writing;

        // What was answered before may have been lost with the primary. The same request finds it, or does it again.
        await SendAllAsync(keys);
        var numbers = await NumbersAsync(server);
        Assert.Equal(keys.SelectMany(key => new[] { key + "1", key + "2", key + "3" }).Order(), numbers.Order());

        async Task SendAllAsync(string[] few)
        {
            foreach (var key in few)
            {
                await Poll.UntilAsync(
                    async () =>
                    {
                        var isDone = await TryAsync(server, key);
                        if (isDone && !begun.IsSet)
                        {
                            begun.Signal();
                        }
                        else if (!isDone)
                        {
                            // Claims whose commit was lost end by themselves.
                            time.Advance(TimeSpan.FromSeconds(5));
                        }

                        return isDone;
                    },
                    // The client by itself asks for roles once a minute.
                    seconds: 30
                );
            }
        }
    }

    private static async Task UntilReplicatedAsync(RedisServer replica)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{replica.ConnectionString},allowAdmin=true");
        var server = connection.GetServers()[0];
        await Poll.UntilAsync(async () =>
            (await server.InfoRawAsync("replication"))!.Contains("master_link_status:up", StringComparison.Ordinal)
        );
    }

    private static void Add(IServiceCollection services, TimeProvider time)
    {
        services.AddSingleton(time);
        services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()));
    }

    private static async Task<bool> TryAsync(TenancyServer server, string key)
    {
        var arguments = new JsonObject
        {
            ["account"] = new JsonObject { ["account_id"] = "any" },
            ["idempotency_key"] = key,
        };
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("write_three", arguments));
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode == HttpStatusCode.OK
            && (await McpCalls.ReadAsync(response))["result"]!["structuredContent"]!["adcp_error"] is null;
    }

    // The resolver of the tests has one account, which is the caller.
    private static async Task<string[]> NumbersAsync(TenancyServer server)
    {
        var principals = await McpCalls.ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme/principals"));
        await using var scope = server
            .Services.GetRequiredService<TenantScopes>()
            .Open(TenantId.Parse("acme"), "test", "principal:" + principals["principals"]![0]!["id"]);
        List<string> numbers = [];
        string? cursor = null;
        do
        {
            var page = await scope.Context.Documents<Written>().ListAsync(cursor, limit: 200, Token);
            numbers.AddRange(page.Items.Select(written => written.Text));
            cursor = page.NextCursor;
        } while (cursor is not null);
        return [.. numbers];
    }

    [Document("lost_nodes")]
    public sealed record Written : TenantDocument
    {
        public string Text { get; init; } = "";
    }

    public sealed record WriteRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
    {
        public AccountReference? Account { get; init; }

        public required string IdempotencyKey { get; init; }
    }

    public sealed record WriteResponse : AdcpResponse
    {
        public string Operation { get; init; } = "";
    }

    public sealed class Handlers
    {
        [AdcpTool("write_three")]
        public async Task<WriteResponse> WriteAsync(WriteRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            foreach (var number in new[] { "1", "2", "3" })
            {
                var text = request.IdempotencyKey + number;
                await context.Documents<Written>().CreateWithIdAsync(text, new() { Text = text }, cancellationToken);
            }

            return new() { Operation = context.OperationId };
        }
    }
}
