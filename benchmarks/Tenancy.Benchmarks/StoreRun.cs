using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Benchmarks;

/// <summary>
/// Rate limit, most of which is counted in memory, and idempotency against the bare script on the same server, in alternating rounds.
/// </summary>
internal static class StoreRun
{
    private const int Callers = 64;
    private const int Rounds = 15;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(0.4);
    private static readonly TenantId Tenant = TenantId.Parse("bench");

    public static async Task RunAsync(string redis, TextWriter output)
    {
        await using var connection = Connect(redis);
        await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(redis + ",protocol=resp3");
        var database = multiplexer.GetDatabase();
        await output.WriteLineAsync($"| operation | bare EVALSHA/s | ours/s | ratio [quartiles] |\n|---|--:|--:|--:|");

        var limiter = new RateLimiter(connection, new(TimeProvider.System), new(), TimeProvider.System);
        RateLimit[] limits = [RateLimit.Tenant(1_000_000_000)];
        await CompareAsync(
            output,
            "rate limit",
            () =>
                database.ScriptEvaluateAsync(
                    StoreScript.RateLimit.Text,
                    [$"tenant:{{bench}}:generation", $"tenant:{{bench}}:bare"],
                    [1, 0, 1, 0, 0, 0, limits[0].Interval, limits[0].PerMinute, 0, 0, 0, 0]
                ),
            () => limiter.AcquireAsync(Tenant, generation: 0, limits).AsTask()
        );

        var store = new IdempotencyStore(
            connection,
            Tenant,
            generation: 0,
            new()
            {
                MaxRecords = int.MaxValue,
                MaxRecordsPerCaller = int.MaxValue,
                MaxBytes = long.MaxValue,
                MaxBytesPerCaller = long.MaxValue,
                SustainedInserts = 1_000_000,
                BurstInserts = 1_000_000,
            }
        );
        var (bare, ours) = (0, 0);
        await CompareAsync(
            output,
            "idempotency pair",
            () => BarePairAsync(database, Interlocked.Increment(ref bare)),
            () => PairAsync(store, Interlocked.Increment(ref ours))
        );
        await StoreCounts.RunAsync(redis, output);
    }

    // The same two scripts with the same keys and arguments, through nothing but the client.
    private static async Task BarePairAsync(IDatabase database, int number)
    {
        var record = number.ToString("x43", CultureInfo.InvariantCulture);
        const string Prefix = "tenant:{bare}:";
        await database.ScriptEvaluateAsync(
            StoreScript.IdempotencyClaim.Text,
            [
                $"{Prefix}idempotency:{record}",
                Prefix + "idempotencies",
                Prefix + "rate-limit:inserts:x",
                Prefix + "secret",
                Prefix + "idempotency-sizes",
                Prefix + "generation",
                Prefix + "idempotencies-of:caller",
                Prefix + "idempotency-sizes-of:caller",
                Prefix + "idempotency-callers",
            ],
            [
                record,
                "tool:hash",
                "token",
                60_000,
                86_400_000,
                60_000,
                int.MaxValue,
                60_000_000L,
                10_000_000L,
                "secretsecretsecretsecretsecretsecretsecrets",
                0,
                1L << 40,
                0,
                "caller",
                int.MaxValue,
                1L << 40,
                RedisConnection.LargeBytes,
            ]
        );
        await database.ScriptEvaluateAsync(
            StoreScript.Commit.Text,
            [
                Prefix + "generation",
                Prefix + "document-versions",
                $"{Prefix}idempotency:{record}",
                Prefix + "idempotencies",
                Prefix + "idempotency-sizes",
                Prefix + "idempotencies-of:caller",
                Prefix + "idempotency-sizes-of:caller",
                Prefix + "idempotency-callers",
            ],
            [0, 0, "", 0, 2, 0, 0, 0, "", 0, "tool:hash", "token", record, "caller", Response, 86_400_000, 60_000]
        );
    }

    private static async Task PairAsync(IdempotencyStore store, int number)
    {
        var claim = await store.ClaimAsync(
            new("caller", "account", number.ToString("x32", CultureInfo.InvariantCulture), "tool", "hash"),
            TimeSpan.FromMinutes(1)
        );
        await store.CompleteAsync(((IdempotencyClaim.Claimed)claim).Lease, Response);
    }

    private static readonly byte[] Response = "{\"media_buy_id\":\"mb_0123456789abcdefghijkl\",\"packages\":[]}"u8.ToArray();

    private static async Task CompareAsync(TextWriter output, string name, Func<Task> bare, Func<Task> ours)
    {
        await MeasureAsync(bare);
        await MeasureAsync(ours);
        var (bares, all, ratios) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            // Who goes first alternates, so that what grows in the store weighs on both alike.
            var first = round % 2 == 0;
            var one = await MeasureAsync(first ? bare : ours);
            var two = await MeasureAsync(first ? ours : bare);
            bares.Add(first ? one : two);
            all.Add(first ? two : one);
            ratios.Add(all[^1] / bares[^1]);
        }

        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {At(bares, 0.5):N0} | {At(all, 0.5):N0} | {At(ratios, 0.5):F2} [{At(ratios, 0.25):F2}-{At(ratios, 0.75):F2}] |"
            )
        );
    }

    /// <summary>Operations a second of many callers at once.</summary>
    private static async Task<double> MeasureAsync(Func<Task> operation)
    {
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var count = 0;
                        for (; clock.Elapsed < RoundTime; count++)
                        {
                            await operation();
                        }

                        return count;
                    })
                )
        );
        return counts.Sum() / clock.Elapsed.TotalSeconds;
    }

    private static double At(List<double> values, double quantile) => values.Order().ElementAt((int)(quantile * (values.Count - 1)));

    private static RedisConnection Connect(string redis) =>
        new(
            new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Redis", redis)]).Build(),
            new HostingEnvironment { EnvironmentName = "Development" },
            Options.Create(new TenancyOptions()),
            TimeProvider.System,
            NullLogger<RedisConnection>.Instance
        );
}
