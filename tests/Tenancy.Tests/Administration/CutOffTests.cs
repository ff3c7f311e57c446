using Microsoft.Extensions.DependencyInjection;
using Tenancy.Administration;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Tests.State;

namespace Tenancy.Tests.Administration;

/// <summary>Registrations and deletions that are cut off after each single command of theirs.</summary>
[Tier(Tier.Process)]
public sealed class CutOffTests
{
    private const int MaxCommands = 100;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_registration_that_is_cut_off_anywhere_is_whole_or_not_there_after_the_next_start(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        var (commands, finished) = (0, 0);
        for (var isCut = true; isCut; commands++)
        {
            Assert.True(commands < MaxCommands, "It does not end.");
            var registration = Registration($"cut{commands}");
            var cut = new CutOff();
            await using (var node = await NodeAsync(own.Store, cut))
            {
                cut.After(commands);
                isCut = await IsCutAsync(() => Tenants(node).RegisterAsync(registration, cancellationToken: Token));
                Assert.Equal(!isCut, node.Registry.Get(registration.Tenant.Id) is not null);
                cut.Mend();
            }

            await using var next = await NodeAsync(own.Store);
            await next.Registry.Stored.LoadAsync(Token);
            finished += await AssertWholeOrNotThereAsync(own.Store, next, registration) ? 1 : 0;
            var again = await Tenants(next).RegisterAsync(registration, cancellationToken: Token);
            Assert.Equal(["one", "two"], again.Principals.Select(principal => principal.Name));
            Assert.True(await AssertWholeOrNotThereAsync(own.Store, next, registration));
        }

        // Some were finished by the start, besides the last one, which was not cut off.
        Assert.InRange(finished, 3, commands - 1);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_registration_that_is_cut_off_anywhere_is_finished_by_the_timer_of_its_own_node(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        var commands = 0;
        for (var isCut = true; isCut; commands++)
        {
            Assert.True(commands < MaxCommands, "It does not end.");
            var registration = Registration($"cut{commands}");
            var cut = new CutOff();
            await using var node = await NodeAsync(own.Store, cut);
            node.Registry.MarkLoaded();
            cut.After(commands);
            isCut = await IsCutAsync(() => Tenants(node).RegisterAsync(registration, cancellationToken: Token));
            cut.Mend();
            await node.Services.GetRequiredService<UnfinishedTenants>().CompleteAsync(Token);
            Assert.Empty(await UnfinishedAsync(own.Store));
            await AssertWholeOrNotThereAsync(own.Store, node, registration);
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_delete_that_is_cut_off_anywhere_is_finished_by_the_next_start_and_takes_nothing_of_another(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using (var node = await NodeAsync(own.Store))
        {
            await FillAsync(node, "neighbour");
        }

        var before = await KeysAsync(own.Store, "neighbour");
        var commands = 0;
        for (var isCut = true; isCut; commands++)
        {
            Assert.True(commands < MaxCommands, "It does not end.");
            var id = TenantId.Parse($"cut{commands}");
            var cut = new CutOff();
            await using (var node = await NodeAsync(own.Store, cut))
            {
                await FillAsync(node, id.Value);
                cut.After(commands);
                isCut = await IsCutAsync(() => Tenants(node).DeleteAsync(id, Token));
                cut.Mend();
            }

            await using var next = await NodeAsync(own.Store);
            await next.Registry.Stored.LoadAsync(Token);
            next.Registry.MarkLoaded();
            var isThere = next.Registry.Get(id) is not null;

            // The first command reads the tenant, the second finds that the store does not know the script yet.
            Assert.Equal(commands < 3, isThere);
            if (!isThere)
            {
                await EndLeaseAsync(own.Store, id);
                await next.Services.GetRequiredService<UnfinishedTenants>().CompleteAsync(Token);
                await AssertNothingRemainsAsync(own.Store, id);
                Assert.False(await Tenants(next).DeleteAsync(id, Token));
            }
        }

        Assert.True(commands > 12, $"It took {commands} commands.");
        Assert.Equal(before, await KeysAsync(own.Store, "neighbour"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Two_deletes_at_once_on_two_nodes_are_both_answered_and_nothing_remains(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var one = await NodeAsync(own.Store);
        await using var two = await NodeAsync(own.Store);
        for (var i = 0; i < 10; i++)
        {
            var id = TenantId.Parse($"t{i}");
            await FillAsync(one, id.Value);
            var deleted = await Task.WhenAll(Tenants(one).DeleteAsync(id, Token), Tenants(two).DeleteAsync(id, Token));
            Assert.Contains(true, deleted);
            await AssertNothingRemainsAsync(own.Store, id);
            Assert.True((await Tenants(two).RegisterAsync(Registration(id.Value), cancellationToken: Token)).IsNew);
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Of_what_is_written_while_a_tenant_is_deleted_and_after_it_nothing_remains(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var deleting = await NodeAsync(own.Store);
        await using var other = await NodeAsync(own.Store);
        var id = TenantId.Parse("acme");
        await FillAsync(deleting, id.Value);
        await other.Registry.Stored.LoadAsync(Token);

        // The other node never hears of it: all that it does comes too late.
        using var enough = new CancellationTokenSource();
        var stale = other.Model(id.Value);
        var refused = 0;
        var writers = Enumerable
            .Range(0, 4)
            .Select(i =>
                Task.Run(async () =>
                {
                    for (var j = 0; !enough.IsCancellationRequested; j++)
                    {
                        refused += await WriteAsync(other, stale, $"{i}-{j}") ? 0 : 1;
                    }
                })
            )
            .ToArray();
        try
        {
            Assert.True(await Tenants(deleting).DeleteAsync(id, Token));
            await AssertNothingRemainsAsync(own.Store, id);
            await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref refused) > 20));
        }
        finally
        {
            await enough.CancelAsync();
        }

        await Task.WhenAll(writers);
        await AssertNothingRemainsAsync(own.Store, id);

        // Nor does it reach the next tenant with the id.
        await Tenants(deleting).RegisterAsync(Registration(id.Value), cancellationToken: Token);
        var fresh = await KeysAsync(own.Store, id.Value);
        Assert.False(await WriteAsync(other, stale, "late"));
        Assert.Equal(fresh, await KeysAsync(own.Store, id.Value));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_comes_late_of_a_registration_or_a_deletion_does_nothing_to_the_next_life_of_the_id(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var node = await NodeAsync(own.Store);
        var (id, keys) = (TenantId.Parse("acme"), new TenantKeyspace(TenantId.Parse("acme")));
        await FillAsync(node, id.Value);
        var former = node.Model(id.Value).Generation;
        await Tenants(node).DeleteAsync(id, Token);
        var tombstone = (long)await own.Store.Redis.GetAsync(keys.Generation);
        Assert.Equal(0, await BeginAsync(former));
        await AssertNothingRemainsAsync(own.Store, id);

        await FillAsync(node, id.Value);
        var before = await KeysAsync(own.Store, id.Value);
        Assert.Equal(0, await BeginAsync(former));
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            own.Store.Redis.EvaluateFencedAsync(StoreScript.TenantEnd, [keys.Generation], [tombstone])
        );
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            own.Store.Redis.EvaluateFencedAsync(StoreScript.Purge, [keys.Generation, keys.Principals], [tombstone, "HDEL", "any"])
        );
        Assert.False(await node.Services.GetRequiredService<TenantPurge>().RunAsync(id, waits: true, Token));
        Assert.Equal(before, await KeysAsync(own.Store, id.Value));

        async Task<int> BeginAsync(long generation) =>
            (int)
                (
                    (StackExchange.Redis.RedisResult[])
                        (
                            await own.Store.Redis.EvaluateAsync(
                                StoreScript.TenantBegin,
                                [
                                    keys.Generation,
                                    keys.Life,
                                    keys.Principals,
                                    keys.Clients,
                                    keys.Documents,
                                    keys.DocumentStorage,
                                    keys.Principal("h"),
                                ],
                                [generation, 0, "life", "new", 6, "id", "h", "record"]
                            )
                        )!
                )[0];
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_a_tenant_keeps_that_the_store_has_lost_the_record_of_is_given_to_nobody_and_can_be_deleted(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var node = await NodeAsync(own.Store);
        for (var i = 0; i < 5; i++)
        {
            await Tenants(node).RegisterAsync(RegistryHost.Config($"other{i}"), cancellationToken: Token);
        }

        var id = TenantId.Parse("acme");
        await FillAsync(node, id.Value);

        // As after a failover of the node that has what all tenants share.
        var raw = await own.Store.RawAsync();
        await raw.KeyDeleteAsync([FleetKeyspace.Metadata(id), FleetKeyspace.Version]);
        await using var next = await NodeAsync(own.Store);
        var refused = await Assert.ThrowsAsync<TenantConflictException>(() =>
            Tenants(next).RegisterAsync(Registration(id.Value), cancellationToken: Token)
        );
        Assert.Contains("delete it", refused.Message, StringComparison.Ordinal);
        Assert.Null(next.Registry.Get(id));
        Assert.True(await Tenants(next).DeleteAsync(id, Token));
        await AssertNothingRemainsAsync(own.Store, id);
        Assert.True((await Tenants(next).RegisterAsync(Registration(id.Value), cancellationToken: Token)).IsNew);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_the_store_has_lost_one_half_of_is_given_to_no_other_tenant_whatever_numbers_come(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var node = await NodeAsync(own.Store);
        var raw = await own.Store.RawAsync();
        (string Name, Func<TenantId, long, Task> Lose)[] losses =
        [
            // What all tenants share has lost the registration: the next number is a later one, or the same.
            ("later", (id, _) => raw.KeyDeleteAsync(FleetKeyspace.Metadata(id))),
            ("same", async (id, generation) =>
            {
                await raw.KeyDeleteAsync(FleetKeyspace.Metadata(id));
                await raw.StringSetAsync(FleetKeyspace.Version, generation - 1);
            }),
            // The tenant's own slot has lost that all of it was deleted.
            ("deleted", async (id, _) =>
            {
                await raw.KeyDeleteAsync(FleetKeyspace.Metadata(id));
                await raw.HashSetAsync(FleetKeyspace.Metadata(id), "version", await raw.StringIncrementAsync(FleetKeyspace.Version));
            }),
        ];
        foreach (var (name, lose) in losses)
        {
            var id = TenantId.Parse(name);
            await FillAsync(node, id.Value);
            var kept = await KeysAsync(own.Store, id.Value);
            await lose(id, node.Model(id.Value).Generation);
            await using var next = await NodeAsync(own.Store);
            var registration = new TenantRegistration
            {
                Tenant = RegistryHost.Config(id.Value),
                Principals = [new() { Name = "other", Token = $"{id}.dev-other" }],
            };
            for (var i = 0; i < 2; i++)
            {
                var refused = await Assert.ThrowsAsync<TenantConflictException>(() =>
                    Tenants(next).RegisterAsync(registration, cancellationToken: Token)
                );
                Assert.Contains("delete it", refused.Message, StringComparison.Ordinal);
                Assert.Null(next.Registry.Get(id));
                Assert.Equal(kept, await KeysAsync(own.Store, id.Value));
            }

            Assert.True(await Tenants(next).DeleteAsync(id, Token));
            await AssertNothingRemainsAsync(own.Store, id);
            Assert.True((await Tenants(next).RegisterAsync(registration, cancellationToken: Token)).IsNew);
            Assert.Equal("other", Assert.Single(await Tenants(next).ListPrincipalsAsync(id, Token)).Name);
        }
    }

    [Fact]
    public async Task A_tenant_can_be_deleted_and_documents_too_when_the_memory_of_the_store_is_full()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Redis);
        await using var node = await NodeAsync(own.Store);
        var id = TenantId.Parse("acme");
        await FillAsync(node, id.Value);
        var documents = NewDocuments(node, node.Model(id.Value), "deleting", out var unit);
        var all = (await documents.ListAsync(cancellationToken: Token)).Items;
        await own.Store.LimitMemoryAsync(1);
        Assert.True(await IsCutAsync(() => FillAsync(node, "another")));
        Assert.True(await documents.DeleteAsync(all[0].Id, Token));
        await CommitAsync(node, node.Model(id.Value), unit);
        Assert.Empty((await documents.ListAsync(cancellationToken: Token)).Items);
        Assert.True(await Tenants(node).DeleteAsync(id, Token));
        await own.Store.LimitMemoryAsync(0);
        await AssertNothingRemainsAsync(own.Store, id);
    }

    [Fact]
    public async Task One_node_at_a_time_deletes_and_another_goes_on_when_it_died()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Embedded);
        var cut = new CutOff();
        await using var dying = await NodeAsync(own.Store, cut);
        await using var other = await NodeAsync(own.Store);
        var id = TenantId.Parse("acme");
        await FillAsync(dying, id.Value);
        cut.After(6);
        Assert.True(await IsCutAsync(() => Tenants(dying).DeleteAsync(id, Token)));
        cut.Mend();

        var purge = other.Services.GetRequiredService<TenantPurge>();
        Assert.False(await purge.RunAsync(id, waits: false, Token));
        Assert.NotNull(await purge.FindAsync(id));
        await EndLeaseAsync(own.Store, id);
        Assert.True(await purge.RunAsync(id, waits: false, Token));
        Assert.Null(await purge.FindAsync(id));
        await AssertNothingRemainsAsync(own.Store, id);
    }

    private static Task<RegistryHost> NodeAsync(TestStore store, CutOff? cut = null)
    {
        cut ??= new();
        return RegistryHost.CreateAsync(
            settings: new() { ["Tenancy:AutoValidate"] = "false" },
            services: services =>
                // It ends with the node: the embedded store takes 256 connections.
                services.AddSingleton(_ => store.Connect(profiler: cut.Next))
        );
    }

    private static ITenantAdministration Tenants(RegistryHost node) => node.Services.GetRequiredService<ITenantAdministration>();

    private static TenantRegistration Registration(string id) =>
        new()
        {
            Tenant = RegistryHost.Config(id),
            Principals = [new() { Name = "one", Token = $"{id}.dev-one" }, new() { Name = "two", Token = $"{id}.dev-two" }],
        };

    private static async Task<bool> IsCutAsync(Func<Task> action)
    {
        try
        {
            await action();
            return false;
        }
        catch (StoreUnavailableException)
        {
            return true;
        }
    }

    /// <summary>A tenant that has something of all that a tenant keeps.</summary>
    private static async Task FillAsync(RegistryHost node, string id)
    {
        await Tenants(node).RegisterAsync(Registration(id), cancellationToken: Token);
        Assert.True(await WriteAsync(node, node.Model(id), "first"));
    }

    /// <returns>False where what is written is refused; all of it, or none.</returns>
    private static async Task<bool> WriteAsync(RegistryHost node, TenantModel tenant, string name)
    {
        var redis = node.Services.GetRequiredService<RedisConnection>();
        var (sessions, principals, clients) = (
            new SessionStore(redis, tenant.Id, tenant.Generation),
            new PrincipalStore(redis, tenant.Id, tenant.Generation),
            new ClientStore(redis, tenant.Id, tenant.Generation)
        );
        Func<Task>[] writes =
        [
            () => sessions.BeginAsync(name, new("epoch", name)),
            () => principals.CreateAsync(new() { Name = name }, DateTimeOffset.UtcNow),
            () => clients.CreateAsync(new(name, "https://issuer"), TimeSpan.FromDays(1), 100_000),
            async () =>
            {
                await NewDocuments(node, tenant, name, out var unit).CreateAsync(new() { Text = name }, cancellationToken: Token);
                await CommitAsync(node, tenant, unit);
            },
            async () =>
            {
                var keys = new IdempotencyStore(
                    redis,
                    tenant.Id,
                    tenant.Generation,
                    new() { SustainedInserts = 10_000, BurstInserts = 10_000 }
                );
                var claim = await keys.ClaimAsync(new("caller", null, name, "tool", "hash"), TimeSpan.FromSeconds(30));
                var use = CommittedUse.Of(new("tool", "ok", 1, 2, 3, 4), DateTimeOffset.UtcNow, new());
                await keys.CompleteAsync(Assert.IsType<IdempotencyClaim.Claimed>(claim).Lease, "done"u8.ToArray(), work: null, use);
            },
            async () =>
            {
                foreach (var principal in (await principals.ListAsync()).Take(1))
                {
                    await principals.RotateAsync(principal.Id, DateTimeOffset.UtcNow.AddDays(1), DateTimeOffset.UtcNow);
                }
            },
        ];
        var refused = 0;
        foreach (var write in writes)
        {
            refused += await IsCutAsync(write) ? 1 : 0;
        }

        return refused == 0;
    }

    private static Documents<TestOrder> NewDocuments(RegistryHost node, TenantModel tenant, string operation, out UnitOfWork unit)
    {
        unit = new(DocumentBudget.OfTenant(TenantLimits.DefaultMaxDocumentBytes));
        var redis = node.Services.GetRequiredService<RedisConnection>();
        return new(new DocumentScope(redis, tenant.Id, "account", operation, unit, () => { }) { Generation = tenant.Generation });
    }

    private static Task CommitAsync(RegistryHost node, TenantModel tenant, UnitOfWork unit) =>
        DocumentCommit.FlushAsync(
            node.Services.GetRequiredService<RedisConnection>(),
            new(tenant.Id),
            tenant.Generation,
            unit.Work!,
            lease: null
        );

    // Rate limits go by themselves, within minutes.
    private static async Task<string[]> KeysAsync(TestStore store, string id) =>
        [
            .. (await store.KeysAsync($"tenant:{{{id}}}:*"))
                .Where(key => !key.Contains(":rate-limit:", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

    private static async Task<string[]> UnfinishedAsync(TestStore store) =>
        [.. (await store.Redis.GetFirstAsync(FleetKeyspace.Unfinished, 100)).Select(id => id.ToString())];

    // As if the time had passed for which a node that died keeps others from going on.
    private static async Task EndLeaseAsync(TestStore store, TenantId id)
    {
        var raw = await store.RawAsync();
        if (await raw.HashExistsAsync(FleetKeyspace.Metadata(id), "purger-until"))
        {
            await raw.HashSetAsync(FleetKeyspace.Metadata(id), "purger-until", 0);
        }
    }

    /// <summary>Of a deleted tenant there are two numbers, which tell later lives of the id from it.</summary>
    private static async Task AssertNothingRemainsAsync(TestStore store, TenantId id)
    {
        Assert.Equal([$"tenant:{{{id}}}:generation"], await KeysAsync(store, id.Value));
        var tombstone = await store.Redis.GetHashAsync(FleetKeyspace.Metadata(id));
        Assert.Equal(["format", "version"], tombstone.Select(field => field.Name.ToString()).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(id.Value, await UnfinishedAsync(store));
    }

    /// <returns>Whether the tenant is there; if so, with all that it was registered with, and served.</returns>
    private static async Task<bool> AssertWholeOrNotThereAsync(TestStore store, RegistryHost node, TenantRegistration registration)
    {
        var id = registration.Tenant.Id;
        Assert.DoesNotContain(id, await UnfinishedAsync(store));
        if (node.Registry.Get(id) is not { } tenant)
        {
            Assert.Empty(await KeysAsync(store, id));
            Assert.Empty(await store.Redis.GetHashAsync(FleetKeyspace.Metadata(TenantId.Parse(id))));
            return false;
        }

        Assert.Equal(tenant.Generation, (long)await store.Redis.GetAsync(new TenantKeyspace(tenant.Id).Generation));
        var tokens = node.Services.GetRequiredService<ITokenValidator>();
        foreach (var principal in registration.Principals)
        {
            Assert.Equal(principal.Name, (await tokens.ValidateAsync(tenant, principal.Token!, Token))!.Name);
        }

        Assert.Equal(2, (await Tenants(node).ListPrincipalsAsync(tenant.Id, Token)).Count);
        return true;
    }
}
