using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>Several processes at one Redis: this assembly runs itself for the others.</summary>
[Tier(Tier.Process)]
public sealed class IdempotencyProcessesTests
{
    private const int Requests = 60;
    private const int Processes = 3;
    private const int TasksOfProcess = 22;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Each_request_runs_once_of_66_tries_at_once_over_three_processes()
    {
        await using var redis = await RedisServer.StartAsync();
        var processes = Enumerable
            .Range(0, Processes)
            .Select(_ => TestProcess.Start<IdempotencyProcessesTests>(nameof(Run_the_requests), redis.ConnectionString))
            .ToArray();

        // All at once: where one fails the others wait for it in vain, and none of them may be left.
        await Task.WhenAll(
            processes.Select(async process =>
            {
                using (process)
                {
                    await process.EndAsync();
                }
            })
        );

        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString), TimeProvider.System);
        var runs = await (await store.RawAsync()).HashGetAllAsync("runs");
        Assert.Equal(Requests, runs.Length);
        Assert.All(runs, run => Assert.Equal(1, run.Value));
    }

    [Fact]
    public async Task A_killed_process_leaves_its_request_to_another_under_the_same_operation()
    {
        await using var redis = await RedisServer.StartAsync();
        using var killed = TestProcess.Start<IdempotencyProcessesTests>(nameof(Claim_and_die), redis.ConnectionString);
        await killed.UntilExitAsync();
        Assert.NotEqual(0, killed.ExitCode);

        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var store = new TestStore(ConfigurationOptions.Parse(redis.ConnectionString), time);
        var keys = new IdempotencyStore(store.Redis, TenantId.Parse("acme"), generation: 0, new());
        Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(Request(0), Lease));
        time.Advance(Lease * 10);
        var retry = Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(Request(0), Lease));
        Assert.Equal((await (await store.RawAsync()).StringGetAsync("operation")).ToString(), retry.Lease.OperationId);
    }

    [Fact(Explicit = true)]
    public async Task Run_the_requests()
    {
        await using var store = TestProcess.OfParent();
        var raw = await store.RawAsync();
        var keys = store
            .Connect(2)
            .Select(connection => new IdempotencyStore(connection, TenantId.Parse("acme"), generation: 0, new()))
            .ToArray();

        // They wait for each other, so that they meet.
        await raw.StringIncrementAsync("ready");
        var clock = Stopwatch.StartNew();
        while (await raw.StringGetAsync("ready") != Processes)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), "The others did not come.");
        }

        await Task.WhenAll(
            Enumerable
                .Range(0, TasksOfProcess)
                .Select(async task =>
                {
                    for (var i = 0; i < Requests; i++)
                    {
                        if (await keys[task % 2].ClaimAsync(Request(i), Lease) is IdempotencyClaim.Claimed { Lease: var lease })
                        {
                            await raw.HashIncrementAsync("runs", i);
                            Assert.True((await keys[task % 2].CompleteAsync(lease, "done"u8.ToArray())).IsStored);
                        }
                    }
                })
        );
    }

    [Fact(Explicit = true)]
    public async Task Claim_and_die()
    {
        await using var store = TestProcess.OfParent();
        var claim = Assert.IsType<IdempotencyClaim.Claimed>(
            await new IdempotencyStore(store.Redis, TenantId.Parse("acme"), generation: 0, new()).ClaimAsync(Request(0), Lease)
        );
        await (await store.RawAsync()).StringSetAsync("operation", claim.Lease.OperationId);
        Process.GetCurrentProcess().Kill();
    }

    private static IdempotentRequest Request(int number) =>
        new("principal:buyer", "account", $"key-of-request-{number}", "create_media_buy", "hash");
}
