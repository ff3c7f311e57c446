using CsCheck;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>The store counts as its stand-in in memory does: the two are written twice, and hold one rule.</summary>
[Tier(Tier.Process)]
public sealed class RateLimitScriptTests(TestStores stores)
{
    private static readonly Gen<int> PerMinute = OneOf(1, 2, 5, 60, 150, 1000, 6000, 60_000, 1_000_000, 60_000_000);

    private static readonly Gen<int> Milliseconds = Gen.Frequency((10, Gen.Int[0, 50]), (5, Gen.Int[0, 3000]), (1, Gen.Int[0, 100_000]));

    private static readonly Gen<Ask> Asks = Gen.Select(
        PerMinute,
        Gen.Int[0, 3],
        OneOf(0, 0, 1, 5, 300, 100_000),
        OneOf(0, 0, 0, 1, 2, 17, 400),
        Gen.Int[0, 4],
        (limit, held, wanted, returned, age) => new Ask(limit, held, wanted, returned, age)
    );

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Whatever_is_asked_the_store_and_its_stand_in_answer_the_same(StoreKind kind)
    {
        await using var fleet = await PairAsync(kind);
        await Gen.Select(Milliseconds, OneOf(0, 1, 1, 1, 2, 7, 500), Asks.Array[1, 2], Gen.Int[0, 5])
            .Array[1, 40]
            .SampleAsync(
                async steps =>
                {
                    fleet.Begin();
                    int? limit = null;
                    foreach (var (pause, requests, asks, changes) in steps)
                    {
                        limit = changes == 0 ? asks[0].PerMinute : limit ?? asks[0].PerMinute;
                        await fleet.CompareAsync(pause, requests, [asks[0] with { PerMinute = limit.Value }, .. asks[1..]]);
                    }
                },
                iter: 100,
                threads: 1
            );
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_clock_that_went_back_makes_no_difference_between_them(StoreKind kind)
    {
        await using var fleet = await PairAsync(kind);
        await Gen.Select(OneOf(-1, -400, -1000, -1700, -100_000), Asks, Asks)
            .SampleAsync(
                async (back, first, second) =>
                {
                    fleet.Begin();

                    // Much is used, so that the store remembers it for longer than the test takes.
                    await fleet.CompareAsync(0, 80, [new(150, 0, 100, 0, 0)]);
                    await fleet.CompareAsync(20, 40, [new(150, 0, 100, 0, 0)]);
                    await fleet.CompareAsync(back, 1, [first with { PerMinute = 150 }]);
                    await fleet.CompareAsync(5, 1, [second with { PerMinute = 150 }]);
                },
                iter: 100,
                threads: 1
            );
    }

    private async Task<Pair> PairAsync(StoreKind kind)
    {
        var clock = new MovableClock();
        return new(clock, await stores.GetAsync(kind, clock));
    }

    private static Gen<int> OneOf(params int[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private sealed record Ask(int PerMinute, int Held, int Wanted, int Returned, int Age);

    /// <summary>A store and its stand-in, which are asked the same.</summary>
    private sealed class Pair(MovableClock clock, TestStore store) : IAsyncDisposable
    {
        private readonly LimitScript _script = new(store.Redis);
        private readonly SetTime _time = new();
        private TenantId _tenant;
        private LocalRateLimiter _local = null!;

        public void Begin() => (_tenant, _local) = (TestStore.NewTenant(), new(_time));

        public async Task CompareAsync(int pause, int requests, Ask[] asks)
        {
            clock.Advance(TimeSpan.FromMilliseconds(pause));
            var second = clock.GetUtcNow().ToUnixTimeSeconds();
            LimitAsk[] these =
            [
                .. asks.Select(
                    (ask, i) =>
                        new LimitAsk(
                            i == 0 ? RateLimit.Tenant(ask.PerMinute) : RateLimit.Caller("me", ask.PerMinute),
                            Math.Min(ask.Held, requests),
                            ask.Wanted,
                            ask.Returned,
                            ask.Age == 4 ? 0 : second - ask.Age
                        )
                ),
            ];
            var answer = await _script.RunAsync(_tenant, 0, requests, these, [], []);
            _time.Now = DateTimeOffset.UnixEpoch.AddMicroseconds(answer.Time);
            Assert.Equal(Text(_local.Take(_tenant, requests, these)), Text(answer));
        }

        public ValueTask DisposeAsync() => store.DisposeAsync();

        // The store says milliseconds, rounded up.
        private static string Text(LimitAnswer answer)
        {
            var grants = answer.Grants.Select(grant => $"{grant.Lent}, {grant.Left}, {Round(grant.Reset)}");
            return $"{answer.Through} of {answer.Time}, {answer.Refusing} for {Round(answer.RetryAfter)} of {Round(answer.Reset)}: "
                + $"{string.Join("; ", grants)}";
        }

        private static double Round(TimeSpan time) => Math.Ceiling(time.TotalMilliseconds);
    }

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
