// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using StackExchange.Redis.Profiling;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>A deletion ends as the one that was begun, whatever happens to the id meanwhile.</summary>
[Tier(Tier.Process)]
public sealed class TenantPurgeTests(TestStores stores)
{
    private const int MaxCommands = 100;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_node_that_slept_in_a_deletion_does_not_end_that_of_a_later_tenant_with_the_id(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var hasSlept = true;
        for (var sleepAt = 1; hasSlept; sleepAt++)
        {
            Assert.True(sleepAt < MaxCommands, "It does not end.");
            var tenant = TestStore.NewTenant();
            await FillAsync(store, tenant, generation: 0);
            await store.MarkDeletedAsync(tenant);
            (hasSlept, var commands) = (false, 0);
            var sleeping = new TenantPurge(store.Connect(profiler: SleepAndGoOn));
            await sleeping.RunAsync(tenant, waits: true, Token);

            // Whoever is to complete the second deletion finds that it is due, unless it is complete.
            await (await store.RawAsync()).HashSetAsync(FleetKeyspace.Metadata(tenant), "purger-until", 0);
            await new TenantPurge(store.Redis).RunAsync(tenant, waits: true, Token);
            Assert.Equal([$"tenant:{{{tenant}}}:generation"], await store.KeysAsync($"tenant:{{{tenant}}}:*"));

            ProfilingSession? SleepAndGoOn()
            {
                if (++commands == sleepAt)
                {
                    hasSlept = true;
                    LiveAgainAsync(store, tenant).GetAwaiter().GetResult();
                }

                return null;
            }
        }
    }

    // Another node completes the deletion, the id is registered anew, and deleted: of that, nothing is done yet but that nobody writes.
    private static async Task LiveAgainAsync(TestStore store, TenantId tenant)
    {
        var (raw, keys, metadata) = (await store.RawAsync(), new TenantKeyspace(tenant), FleetKeyspace.Metadata(tenant));
        await raw.HashSetAsync(metadata, "purger-until", 0);
        await new TenantPurge(store.Redis).RunAsync(tenant, waits: true, Token);
        await raw.StringSetAsync(keys.Generation, 8);
        await FillAsync(store, tenant, generation: 8);
        await raw.HashSetAsync(metadata, [new("version", 9), new("purging", 1)]);
        await raw.StringSetAsync(keys.Generation, 9);
    }

    private static async Task FillAsync(TestStore store, TenantId tenant, long generation)
    {
        await new SessionStore(store.Redis, tenant, generation).BeginAsync("session", new("epoch", "caller"));
        await new PrincipalStore(store.Redis, tenant, generation).CreateAsync(new() { Name = "buyer" }, DateTimeOffset.UtcNow);
        var unit = new UnitOfWork(DocumentBudget.OfTenant(1_000_000));
        await new Documents<TestOrder>(new DocumentScope(store.Redis, tenant, "account", "operation", unit, () => { })).CreateAsync(new());
        await DocumentCommit.FlushAsync(store.Redis, new(tenant), generation, unit.Work!, lease: null);
    }
}
