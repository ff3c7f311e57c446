using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Tier(Tier.Process)]
public sealed class IdempotencyStoreTests(TestStores stores)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly IdempotencyRules Rules = new();
    private static readonly IdempotentRequest Request = new(
        "principal:buyer",
        "account-1",
        "key-0123456789abcdef",
        "create_media_buy",
        "hash-a"
    );
    private readonly MovableClock _time = new();

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task An_answer_is_replayed_to_the_byte_and_never_changes(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        byte[] response = [.. Encoding.UTF8.GetBytes("{\"é\":1}"), 0, 0xff];
        var lease = await ClaimedAsync(keys);
        Assert.True((await keys.CompleteAsync(lease, response)).IsStored);
        Assert.Equal(response, await ReplayedAsync(keys));

        Assert.True((await keys.CompleteAsync(lease, "other"u8.ToArray())).IsStored);
        Assert.False(await keys.ReleaseAsync(lease));
        _time.Advance(Rules.ReplayTime - TimeSpan.FromMinutes(1));
        Assert.Equal(response, await ReplayedAsync(keys));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_large_answer_is_replayed_to_the_byte_to_the_same_request_alone(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        foreach (var length in new[] { RedisConnection.LargeBytes, RedisConnection.LargeBytes + 1, 4 * 1024 * 1024 })
        {
            var request = New();
            var response = new byte[length];
            Random.Shared.NextBytes(response);
            Assert.True((await keys.CompleteAsync(await ClaimedAsync(keys, request), response)).IsStored);
            Assert.Equal(response, Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(request, Lease)).Response.ToArray());
            Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(request with { Hash = "hash-b" }, Lease));
            Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request with { Caller = "principal:other" }, Lease));
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_request_that_runs_is_in_flight_for_others(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        await ClaimedAsync(keys);
        Assert.InRange(await WaitAsync(), 0, 2);

        // What took long may take as long again, but not longer than it may.
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.InRange(await WaitAsync(), 10, 12);
        _time.Advance(TimeSpan.FromSeconds(17));
        Assert.InRange(await WaitAsync(), 1, 3);

        async Task<double> WaitAsync() =>
            Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(Request, Lease)).RetryAfter.TotalSeconds;
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_key_for_another_payload_or_tool_is_a_conflict_while_it_runs_and_after(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        var lease = await ClaimedAsync(keys);
        Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Hash = "hash-b" }, Lease));
        Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Tool = "update_media_buy" }, Lease));
        await keys.CompleteAsync(lease, "done"u8.ToArray());
        Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Hash = "hash-b" }, Lease));
        Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Tool = "update_media_buy" }, Lease));
        Assert.Equal("done"u8.ToArray(), await ReplayedAsync(keys));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task An_error_releases_the_key_and_a_corrected_request_is_new_work(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        var failed = await ClaimedAsync(keys);
        Assert.True(await keys.ReleaseAsync(failed));
        Assert.False(await keys.ReleaseAsync(failed));

        var corrected = await ClaimedAsync(keys, Request with { Hash = "hash-b" });
        Assert.NotEqual(failed.OperationId, corrected.OperationId);
        Assert.Equal(new IdempotencyCompletion(IsStored: false), await keys.CompleteAsync(failed, "late"u8.ToArray()));
        Assert.True(await keys.ReleaseAsync(corrected));
        Assert.Equal(failed.OperationId, (await ClaimedAsync(keys)).OperationId);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Each_caller_account_and_tenant_has_keys_of_its_own(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        IdempotentRequest[] requests =
        [
            Request,
            Request with
            {
                Caller = "principal:other",
            },
            Request with
            {
                Account = "account-2",
            },
            Request with
            {
                Account = null,
            },
            Request with
            {
                Account = "",
            },
            Request with
            {
                Key = Request.Key + "x",
            },
            Request with
            {
                Caller = "principal:buyeraccount-1",
                Account = "",
            },
        ];
        var leases = new List<IdempotencyLease>();
        foreach (var request in requests)
        {
            leases.Add(await ClaimedAsync(keys, request));
            leases.Add(await ClaimedAsync(new(store.Redis, TestStore.NewTenant(), generation: 0, Rules), request));
        }

        Assert.Equal(requests.Length * 2, leases.Select(lease => lease.OperationId).Distinct().Count());
        Assert.All(leases, lease => Assert.Equal(22, lease.OperationId.Length));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task After_a_crash_the_retry_runs_under_the_same_operation_once_the_lease_has_ended(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var crashed = await ClaimedAsync(Keys(store));
        _time.Advance(Lease + TimeSpan.FromSeconds(1));
        await using var otherNode = store.Connect();
        var keys = new IdempotencyStore(otherNode, store.Tenant, generation: 0, Rules);
        Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Hash = "hash-b" }, Lease));
        var retry = await ClaimedAsync(keys);
        Assert.Equal(crashed.OperationId, retry.OperationId);
        Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(Request, Lease));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Who_stalls_past_its_lease_overwrites_nothing_and_is_told_the_answer(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        var stalled = await ClaimedAsync(keys);
        _time.Advance(Lease + TimeSpan.FromSeconds(1));
        var retry = await ClaimedAsync(keys);

        Assert.Equal(new IdempotencyCompletion(IsStored: false), await keys.CompleteAsync(stalled, "stalled"u8.ToArray()));
        Assert.False(await keys.ReleaseAsync(stalled));
        Assert.True((await keys.CompleteAsync(retry, "retry"u8.ToArray())).IsStored);
        var late = await keys.CompleteAsync(stalled, "stalled"u8.ToArray());
        Assert.False(late.IsStored);
        Assert.Equal("retry"u8.ToArray(), late.Other!.Value.ToArray());
        Assert.Equal("retry"u8.ToArray(), await ReplayedAsync(keys));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Who_is_late_but_was_not_replaced_still_completes(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        var lease = await ClaimedAsync(keys);
        _time.Advance(Lease * 2);
        Assert.True((await keys.CompleteAsync(lease, "late"u8.ToArray())).IsStored);
        Assert.Equal("late"u8.ToArray(), await ReplayedAsync(keys));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_key_whose_answer_is_gone_is_expired_and_never_runs_again_silently(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        await keys.CompleteAsync(await ClaimedAsync(keys), "done"u8.ToArray());
        _time.Advance(Rules.ReplayTime + TimeSpan.FromSeconds(50));
        Assert.Equal("done"u8.ToArray(), await ReplayedAsync(keys));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.IsType<IdempotencyClaim.Expired>(await keys.ClaimAsync(Request, Lease));
        Assert.IsType<IdempotencyClaim.Expired>(await keys.ClaimAsync(Request with { Hash = "hash-b" }, Lease));
        _time.Advance(Rules.ReplayTime - TimeSpan.FromMinutes(1));
        Assert.IsType<IdempotencyClaim.Expired>(await keys.ClaimAsync(Request, Lease));
        _time.Advance(TimeSpan.FromMinutes(2));
        await ClaimedAsync(keys);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_store_may_collect_the_record_and_the_key_is_still_known(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        await keys.CompleteAsync(await ClaimedAsync(keys), "done"u8.ToArray());
        var raw = await store.RawAsync();
        var record = Assert.Single(await store.KeysAsync($"tenant:{{{store.Tenant}}}:idempotency:*"));
        Assert.InRange((await raw.KeyTimeToLiveAsync(record))!.Value, Rules.ReplayTime, Rules.ReplayTime + Rules.Skew);
        Assert.True(await raw.KeyTimeToLiveAsync($"tenant:{{{store.Tenant}}}:idempotencies") > Rules.ReplayTime * 2);
        await raw.KeyDeleteAsync(record);
        Assert.IsType<IdempotencyClaim.Expired>(await keys.ClaimAsync(Request, Lease));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_is_over_goes_a_batch_at_a_time_and_what_is_left_of_it_is_forgotten_all_the_same(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        var raw = await store.RawAsync();
        var index = $"tenant:{{{store.Tenant}}}:idempotencies";
        var old = Enumerable.Range(0, 450).Select(_ => New()).ToArray();
        foreach (var request in old)
        {
            await ClaimedAsync(keys, request);
        }

        _time.Advance((2 * Rules.ReplayTime) + TimeSpan.FromMinutes(5));
        foreach (var (request, left) in old.Reverse().Zip([250, 50, 3, 4]))
        {
            await ClaimedAsync(keys, request);
            Assert.Equal(left, await raw.SortedSetLengthAsync(index));
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_crash_that_nobody_retried_in_time_is_expired(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = Keys(store);
        await ClaimedAsync(keys);
        _time.Advance(Rules.ReplayTime + TimeSpan.FromMinutes(2));
        Assert.IsType<IdempotencyClaim.Expired>(await keys.ClaimAsync(Request, Lease));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task New_keys_are_limited_over_ten_seconds_and_over_a_minute(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, Rules with { SustainedInserts = 1, BurstInserts = 3 });
        Assert.Equal(30, await InsertAsync(keys, 40));
        Assert.InRange(
            Assert.IsType<IdempotencyClaim.TooManyInserts>(await keys.ClaimAsync(New(), Lease)).RetryAfter.TotalSeconds,
            0.001,
            10
        );
        Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(New() with { Account = "account-2" }, Lease));
        Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(New() with { Caller = "principal:other" }, Lease));

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(30, await InsertAsync(keys, 40));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.InRange(Assert.IsType<IdempotencyClaim.TooManyInserts>(await keys.ClaimAsync(New(), Lease)).RetryAfter.TotalSeconds, 30, 40);
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(30, await InsertAsync(keys, 40));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Replays_conflicts_and_retries_after_a_crash_are_no_inserts(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, Rules with { SustainedInserts = 1, BurstInserts = 1 });
        var crashed = New();
        await ClaimedAsync(keys, crashed);
        await keys.CompleteAsync(await ClaimedAsync(keys), "done"u8.ToArray());
        for (var i = 0; i < 20; i++)
        {
            await ReplayedAsync(keys);
            Assert.IsType<IdempotencyClaim.Conflict>(await keys.ClaimAsync(Request with { Hash = "other" }, Lease));
            Assert.IsType<IdempotencyClaim.InFlight>(await keys.ClaimAsync(crashed, Lease));
        }

        Assert.Equal(8, await InsertAsync(keys, 20));
        _time.Advance(Lease + TimeSpan.FromSeconds(1));
        await ClaimedAsync(keys, crashed);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_insert_budget_is_exact_for_64_callers_over_several_connections(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = store
            .Connect(4)
            .Select(redis => new IdempotencyStore(
                redis,
                store.Tenant,
                generation: 0,
                Rules with
                {
                    SustainedInserts = 1,
                    BurstInserts = 100,
                }
            ))
            .ToArray();
        var inserts = await Task.WhenAll(Enumerable.Range(0, 64).Select(task => InsertAsync(keys[task % 4], 5)));
        Assert.Equal(60, inserts.Sum());
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_storage_budget_is_exact_and_expiry_and_errors_free_it(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var rules = Rules with { MaxRecords = 37 };
        var keys = store.Connect(4).Select(redis => new IdempotencyStore(redis, store.Tenant, generation: 0, rules)).ToArray();
        var leases = new ConcurrentBag<IdempotencyLease>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    for (var i = 0; i < 10; i++)
                    {
                        if (await keys[task % 4].ClaimAsync(New(), Lease) is IdempotencyClaim.Claimed claimed)
                        {
                            leases.Add(claimed.Lease);
                        }
                    }
                })
        );
        Assert.Equal(37, leases.Count);
        var full = Assert.IsType<IdempotencyClaim.StorageFull>(await keys[0].ClaimAsync(New(), Lease));
        Assert.InRange(full.RetryAfter, Rules.ReplayTime, Rules.ReplayTime + Rules.Skew);
        Assert.IsType<IdempotencyClaim.Claimed>(
            await new IdempotencyStore(store.Redis, TestStore.NewTenant(), generation: 0, rules).ClaimAsync(New(), Lease)
        );

        // Whoever was let in can complete, and an error makes room for one.
        Assert.All(await Task.WhenAll(leases.Skip(1).Select(lease => keys[0].CompleteAsync(lease, "done"u8.ToArray()))), completion =>
            Assert.True(completion.IsStored)
        );
        Assert.True(await keys[0].ReleaseAsync(leases.First()));
        Assert.Equal(1, await InsertAsync(keys[0], 3));
        _time.Advance(Rules.ReplayTime + TimeSpan.FromMinutes(2));
        Assert.Equal(37, await InsertAsync(keys[0], 40));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Answers_take_up_no_more_than_the_tenant_may_and_go_with_their_replay(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = new IdempotencyStore(store.Redis, store.Tenant, generation: 0, Rules with { MaxBytes = 1000 });
        var answer = new byte[400];
        var first = await ClaimedAsync(keys, New());
        var underWay = await ClaimedAsync(keys, New());
        Assert.True((await keys.CompleteAsync(first, answer)).IsStored);
        Assert.True((await keys.CompleteAsync(first, answer)).IsStored);
        _time.Advance(TimeSpan.FromHours(2));
        Assert.True((await keys.CompleteAsync(await ClaimedAsync(keys, New()), answer)).IsStored);

        // 800, however often it was said. One more begins, and what had begun is kept.
        var last = await ClaimedAsync(keys, New());
        Assert.True((await keys.CompleteAsync(underWay, answer)).IsStored);
        Assert.True((await keys.CompleteAsync(last, answer)).IsStored);
        var full = Assert.IsType<IdempotencyClaim.StorageFull>(await keys.ClaimAsync(New(), Lease));
        Assert.InRange(full.RetryAfter, Rules.ReplayTime - TimeSpan.FromHours(2), Rules.ReplayTime - TimeSpan.FromHours(1) + Rules.Skew);

        // Others have their own, and what is kept is replayed.
        Assert.IsType<IdempotencyClaim.Claimed>(
            await new IdempotencyStore(store.Redis, TestStore.NewTenant(), generation: 0, Rules with { MaxBytes = 1000 }).ClaimAsync(
                New(),
                Lease
            )
        );

        // The first is gone, which leaves 1,200; then all are.
        _time.Advance(full.RetryAfter + TimeSpan.FromSeconds(1));
        Assert.IsType<IdempotencyClaim.StorageFull>(await keys.ClaimAsync(New(), Lease));
        _time.Advance(TimeSpan.FromHours(2));
        Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(New(), Lease));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Each_of_many_requests_runs_once_whatever_the_number_of_callers(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var keys = store.Connect(4).Select(redis => new IdempotencyStore(redis, store.Tenant, generation: 0, Rules)).ToArray();
        var runs = new ConcurrentDictionary<string, int>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async task =>
                {
                    for (var i = 0; i < 30; i++)
                    {
                        var request = Request with { Key = $"key-of-request-{i}" };
                        for (var clock = Stopwatch.StartNew(); ; )
                        {
                            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{request.Key} does not end.");
                            var claim = await keys[task % 4].ClaimAsync(request, Lease);
                            if (claim is IdempotencyClaim.Claimed { Lease: var lease })
                            {
                                // A third of the first tries fail.
                                if (runs.TryAdd(request.Key + "-failed", 1) && i % 3 == 0)
                                {
                                    Assert.True(await keys[task % 4].ReleaseAsync(lease));
                                    continue;
                                }

                                runs.AddOrUpdate(request.Key, 1, (_, count) => count + 1);
                                Assert.True(
                                    (await keys[task % 4].CompleteAsync(lease, Encoding.UTF8.GetBytes(lease.OperationId))).IsStored
                                );
                            }
                            else if (claim is IdempotencyClaim.Replay)
                            {
                                break;
                            }
                            else
                            {
                                Assert.IsType<IdempotencyClaim.InFlight>(claim);
                            }
                        }
                    }
                })
        );
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(1, runs[$"key-of-request-{i}"]));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_callers_key_is_nowhere_in_the_store(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        await Keys(store).CompleteAsync(await ClaimedAsync(Keys(store)), "done"u8.ToArray());
        var raw = await store.RawAsync();
        var names = await store.KeysAsync($"*{store.Tenant}*");
        Assert.Equal(8, names.Length);
        foreach (var name in names)
        {
            var dump = await raw.KeyTypeAsync(name) switch
            {
                StackExchange.Redis.RedisType.Hash => string.Join(' ', await raw.HashGetAllAsync(name)),
                StackExchange.Redis.RedisType.SortedSet => string.Join(' ', await raw.SortedSetRangeByRankAsync(name)),
                _ => (await raw.StringGetAsync(name)).ToString(),
            };
            Assert.DoesNotContain(Request.Key, name + dump, StringComparison.Ordinal);
            Assert.DoesNotContain(Request.Caller, name + dump, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(Request.Key, Request.ToString(), StringComparison.Ordinal);
    }

    private static IdempotencyStore Keys(TestStore store) => new(store.Redis, store.Tenant, generation: 0, Rules);

    private static IdempotentRequest New() => Request with { Key = Guid.NewGuid().ToString("N") };

    private static async Task<IdempotencyLease> ClaimedAsync(IdempotencyStore keys, IdempotentRequest? request = null) =>
        Assert.IsType<IdempotencyClaim.Claimed>(await keys.ClaimAsync(request ?? Request, Lease)).Lease;

    private static async Task<byte[]> ReplayedAsync(IdempotencyStore keys) =>
        Assert.IsType<IdempotencyClaim.Replay>(await keys.ClaimAsync(Request, Lease)).Response.ToArray();

    private static async Task<int> InsertAsync(IdempotencyStore keys, int tries)
    {
        var inserts = 0;
        for (var i = 0; i < tries; i++)
        {
            inserts += await keys.ClaimAsync(New(), Lease) is IdempotencyClaim.Claimed ? 1 : 0;
        }

        return inserts;
    }
}
