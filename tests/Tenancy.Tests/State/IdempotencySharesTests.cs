using System.Collections.Concurrent;
using CsCheck;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>One caller keeps no more than its share of a tenant's idempotency keys and answers.</summary>
[Tier(Tier.Process)]
public sealed class IdempotencySharesTests(TestStores stores)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly IdempotencyRules Rules = new();
    private readonly MovableClock _time = new();

    private static readonly Gen<(int Kind, int Caller, int Number)[]> Steps = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2], Gen.Int[0, 3])
        .Select((kind, caller, number) => (kind, caller, number))
        .Array[1, 40];

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_share_of_records_is_exact_for_64_tasks_and_leaves_the_rest_to_others(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var rules = Rules with { MaxRecords = 37, MaxRecordsPerCaller = 19 };
        var keys = store.Connect(4).Select(redis => new IdempotencyStore(redis, store.Tenant, generation: 0, rules)).ToArray();
        var leases = new ConcurrentBag<IdempotencyLease>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    // Whichever account it names.
                    if (await keys[task % 4].ClaimAsync(New("one", $"account-{task}"), Lease) is IdempotencyClaim.Claimed claimed)
                    {
                        leases.Add(claimed.Lease);
                    }
                })
        );
        Assert.Equal(19, leases.Count);
        var full = Assert.IsType<IdempotencyClaim.StorageFull>(await keys[0].ClaimAsync(New("one"), Lease));
        Assert.True(full.IsShare);
        Assert.InRange(full.RetryAfter, Rules.ReplayTime - TimeSpan.FromMinutes(1), Rules.ReplayTime + Rules.Skew);
        for (var i = 0; i < 18; i++)
        {
            Assert.IsType<IdempotencyClaim.Claimed>(await keys[0].ClaimAsync(New("other"), Lease));
        }

        Assert.False(Assert.IsType<IdempotencyClaim.StorageFull>(await keys[0].ClaimAsync(New("third"), Lease)).IsShare);

        // An error makes room.
        Assert.True(await keys[0].ReleaseAsync(leases.First()));
        Assert.IsType<IdempotencyClaim.Claimed>(await keys[0].ClaimAsync(New("one"), Lease));
        Assert.IsType<IdempotencyClaim.StorageFull>(await keys[0].ClaimAsync(New("one"), Lease));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Whatever_callers_do_claims_are_let_in_as_in_a_list_in_memory(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        await Steps.SampleAsync(steps => RunAsync(store, steps), iter: 60, threads: 1);
    }

    private async Task RunAsync(TestStore store, (int Kind, int Caller, int Number)[] steps)
    {
        var rules = Rules with { MaxRecords = 9, MaxRecordsPerCaller = 5, MaxBytes = 900, MaxBytesPerCaller = 450 };
        var keys = new IdempotencyStore(store.Redis, TestStore.NewTenant(), generation: 0, rules);
        List<Entry> all = [];
        foreach (var (kind, number, amount) in steps)
        {
            var caller = $"caller-{number}";
            var open = all.Where(entry => entry.Caller == caller && entry.Bytes is null).ToArray();
            switch (kind)
            {
                case <= 4:
                    var claim = await keys.ClaimAsync(New(caller), Lease);
                    Assert.Equal(Expect(all, caller, rules, Now), claim is IdempotencyClaim.StorageFull full ? full.IsShare : null);
                    if (claim is IdempotencyClaim.Claimed { Lease: var lease })
                    {
                        all.Add(new(caller, lease, Now + rules.ReplayTime, Bytes: null));
                    }

                    break;
                case <= 6 when open.Length > 0:
                    var bytes = 100 * amount;
                    Assert.True((await keys.CompleteAsync(open[0].Lease, new byte[bytes])).IsStored);
                    all[all.IndexOf(open[0])] = open[0] with { Bytes = bytes, End = Now + rules.ReplayTime };
                    break;
                case 7 when open.Length > 0:
                    Assert.True(await keys.ReleaseAsync(open[0].Lease));
                    all.Remove(open[0]);
                    break;
                case 8:
                    // What is under way must end before its record goes.
                    _time.Advance(TimeSpan.FromMinutes(47 * (1 + amount)));
                    break;
                case 9 when amount == 3 && all.TrueForAll(entry => entry.Bytes is not null):
                    _time.Advance(TimeSpan.FromHours(23));
                    break;
            }

            // A claim that was left for a day cannot be completed any more.
            all.RemoveAll(entry => entry.Bytes is null && entry.End + rules.Skew <= Now);
        }
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    // Null where there is room; else whether it is the caller's own share that is full.
    private static bool? Expect(List<Entry> all, string caller, IdempotencyRules rules, DateTimeOffset now)
    {
        var records = all.FindAll(entry => entry.End + rules.Skew > now);

        // The bytes of an answer count to the end of the hour in which it goes.
        var answers = all.FindAll(entry => entry.Bytes is not null && Hour(entry.End).AddHours(1) + rules.Skew > now);
        return records.Count >= rules.MaxRecords || answers.Sum(entry => entry.Bytes) >= rules.MaxBytes ? false
            : records.Count(entry => entry.Caller == caller) >= rules.MaxRecordsPerCaller
            || answers.Where(entry => entry.Caller == caller).Sum(entry => entry.Bytes) >= rules.MaxBytesPerCaller
                ? true
            : null;
    }

    private static DateTimeOffset Hour(DateTimeOffset time) => new(time.Year, time.Month, time.Day, time.Hour, 0, 0, TimeSpan.Zero);

    private static IdempotentRequest New(string caller, string account = "account") =>
        new(caller, account, Guid.NewGuid().ToString("N"), "create_media_buy", "hash");

    private sealed record Entry(string Caller, IdempotencyLease Lease, DateTimeOffset End, int? Bytes);
}
