using StackExchange.Redis;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What the list of a tenant's sessions shows.</summary>
[Tier(Tier.Process)]
public sealed class SessionStoreTests(TestStores stores)
{
    private readonly MovableClock _time = new();

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Sessions_are_listed_by_their_last_use_and_not_by_when_they_expire(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var owner = new SessionOwner("epoch", "me");
        await sessions.BeginAsync("used", owner);
        Assert.True(await sessions.UseAsync("used", owner));
        _time.Advance(TimeSpan.FromMinutes(1));

        // It lives minutes where the other lives hours, and was used later.
        var place = await sessions.ReserveAsync(owner, maxSessions: 10, maxPerCaller: 10);
        Assert.True(await sessions.CreateAsync("begun", owner, place!));
        Assert.Equal(["begun", "used"], await ListAsync(sessions));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await sessions.TouchAsync("used", owner));
        Assert.Equal(["used", "begun"], await ListAsync(sessions));
        Assert.Equal((true, false), await sessions.BeginStreamAsync("begun", owner, "one"));
        Assert.Equal(["begun", "used"], await ListAsync(sessions));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_stream_that_began_last_is_the_sessions_and_the_end_of_another_is_none(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var owner = new SessionOwner("epoch", "me");
        await sessions.BeginAsync("begun", owner);
        Assert.Equal((true, false), await sessions.BeginStreamAsync("begun", owner, "one"));
        Assert.True(await sessions.NoteStreamAsync("begun", owner, "one"));
        Assert.Equal((true, true), await sessions.BeginStreamAsync("begun", owner, "two"));
        Assert.False(await sessions.NoteStreamAsync("begun", owner, "one"));
        await sessions.EndStreamAsync("begun", owner, "one");
        Assert.True(await sessions.NoteStreamAsync("begun", owner, "two"));
        await sessions.EndStreamAsync("begun", owner, "two");

        // Nobody has the place any more: who still asks for it gets it.
        Assert.True(await sessions.NoteStreamAsync("begun", owner, "one"));
        Assert.Equal((true, true), await sessions.BeginStreamAsync("begun", owner, "three"));
        Assert.Equal((false, false), await sessions.BeginStreamAsync("begun", new("epoch", "another"), "four"));
        Assert.True(await sessions.NoteStreamAsync("begun", owner, "three"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_session_in_which_a_call_runs_does_not_end_for_another_and_lives_no_longer_for_that(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var owner = new SessionOwner("epoch", "me");
        var handle = TenantKeyspace.Hash("used");
        await sessions.BeginAsync("used", owner);
        var expiry = (await sessions.ListAsync("epoch", take: 1)).Sessions.Single().ExpiresAt;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await sessions.NoteCallsAsync(handle, TimeSpan.FromSeconds(45)));
        Assert.Equal(expiry, (await sessions.ListAsync("epoch", take: 1)).Sessions.Single().ExpiresAt);
        Assert.False(await sessions.NoteCallsAsync(TenantKeyspace.Hash("other"), TimeSpan.FromSeconds(45)));

        // Neither a use nor a shorter call takes that back.
        Assert.True(await sessions.TouchAsync("used", owner));
        Assert.True(await sessions.NoteCallsAsync(handle, TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(await sessions.ReserveAsync(owner, maxSessions: 10, maxPerCaller: 1, _ => { }));

        // Whoever makes room asks first.
        _time.Advance(TimeSpan.FromSeconds(10));
        var asked = new List<string>();
        Assert.Null(
            await sessions.ReserveAsync(
                owner,
                maxSessions: 10,
                maxPerCaller: 1,
                _ => { },
                keepAsync: handle =>
                {
                    asked.Add(handle);
                    return sessions.NoteCallsAsync(handle, TimeSpan.FromSeconds(45));
                }
            )
        );
        Assert.Equal([handle], asked);
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.NotNull(
            await sessions.ReserveAsync(owner, maxSessions: 10, maxPerCaller: 1, _ => { }, keepAsync: _ => Task.FromResult(false))
        );
        Assert.Empty(await ListAsync(sessions));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_expired_is_another_epochs_or_is_only_a_place_is_not_listed(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        await sessions.BeginAsync("begun", new("epoch", "me"));
        await sessions.BeginAsync("other", new("later", "me"));
        Assert.NotNull(await sessions.ReserveAsync(new("epoch", "me"), maxSessions: 10, maxPerCaller: 10));
        Assert.Equal(["begun"], await ListAsync(sessions));
        Assert.Equal(1, (await sessions.ListAsync("epoch", take: 1)).Count);
        _time.Advance(SessionStore.Lifetime + TimeSpan.FromSeconds(1));
        Assert.Empty(await ListAsync(sessions));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Pages_go_on_where_the_one_before_ended_also_where_its_last_session_is_gone_or_used_meanwhile(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var owner = new SessionOwner("epoch", "me");
        string[] names = ["a", "b", "c", "d", "e", "f", "g"];
        foreach (var name in names)
        {
            await sessions.BeginAsync(name, owner);
        }

        // The last three were used at one time, and the others at an earlier one.
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await (await store.RawAsync()).SortedSetAddAsync(
            (RedisKey)new TenantKeyspace(store.Tenant).SessionUses,
            [.. names.Select((name, i) => new SortedSetEntry(owner.Entry(TenantKeyspace.Hash(name)), i < 4 ? now - 1000 : now))]
        );

        var (first, count, cursor) = await sessions.ListAsync("epoch", take: 2);
        Assert.Equal((2, 7), (first.Count, count));
        Assert.True(SessionStore.IsCursor(cursor!), cursor);
        var (second, _, next) = await sessions.ListAsync("epoch", take: 3, cursor);
        Assert.Equal(3, second.Count);
        Assert.True(await sessions.EndAsync(second[^1].Handle));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await sessions.TouchAsync(names.Single(name => TenantKeyspace.Hash(name) == first[0].Handle), owner));
        var (third, left, end) = await sessions.ListAsync("epoch", take: 3, next);
        Assert.Equal((2, 6, null), (third.Count, left, end));
        Assert.Equal(
            names.Select(name => TenantKeyspace.Hash(name)).Order(StringComparer.Ordinal),
            first.Concat(second).Concat(third).Select(session => session.Handle).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            names[4..].Select(name => TenantKeyspace.Hash(name)).Order(StringComparer.Ordinal),
            first.Concat(second).Take(3).Select(session => session.Handle).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_callers_longest_unused_session_is_found_among_ten_thousand_and_not_looked_for_any_further(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind, _time);
        var sessions = new SessionStore(store.Redis, store.Tenant, generation: 0);
        var owner = new SessionOwner("epoch", "me");
        await sessions.BeginAsync("begun", owner);
        Assert.True(await sessions.UseAsync("begun", owner));
        _time.Advance(TimeSpan.FromSeconds(1));
        foreach (var (others, isFound) in new[] { (10_000, false), (9_999, true) })
        {
            var other = new SessionOwner("epoch", "other");
            var raw = await store.RawAsync();
            RedisKey uses = new TenantKeyspace(store.Tenant).SessionUses;
            await raw.SortedSetAddAsync(
                uses,
                [.. Enumerable.Range(1, others).Select(number => new SortedSetEntry(other.Entry($"{number}"), number))]
            );
            var ended = new List<string>();
            var place = await sessions.ReserveAsync(owner, maxSessions: 100_000, maxPerCaller: 1, ended.Add);
            Assert.Equal((isFound, isFound ? 1 : 0), (place is not null, ended.Count));
            await raw.SortedSetRemoveRangeByScoreAsync(uses, 1, others);
        }
    }

    private static async Task<IEnumerable<string>> ListAsync(SessionStore sessions)
    {
        var names = new[] { "used", "begun", "other" }.ToDictionary(name => TenantKeyspace.Hash(name));
        return (await sessions.ListAsync("epoch", take: 10)).Sessions.Select(session => names[session.Handle]);
    }
}
