using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Administration;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;

namespace Tenancy.Tests.State;

/// <summary>An entry of the audit and its change are one, on every store; what is kept is bounded.</summary>
[Tier(Tier.Process)]
public sealed class AuditLogTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_change_that_is_cut_off_anywhere_has_its_entry_or_neither_is_there(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        var (acme, found) = (TenantId.Parse("acme"), 0);
        (string Action, Func<ITenantAdministration, string, Task> Change)[] changes =
        [
            (AuditAction.TenantRegistered, (tenants, name) => tenants.RegisterAsync(RegistryHost.Config(name), cancellationToken: Token)),
            (AuditAction.TenantChanged, (tenants, name) => tenants.UpdateAsync(acme, one => one with { Name = name }, null, Token)),
            (AuditAction.PrincipalIssued, (tenants, name) => tenants.IssuePrincipalAsync(acme, new() { Name = name }, Token)),
        ];
        await using (var node = await NodeAsync(own.Store))
        {
            await Tenants(node).RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        }

        foreach (var (action, change) in changes)
        {
            var isCut = true;
            for (var commands = 0; isCut; commands++)
            {
                var (cut, name) = (new CutOff(), $"{action.Replace('.', '-')}-{commands}");
                await using (var node = await NodeAsync(own.Store, cut))
                {
                    await node.Registry.Stored.LoadAsync(Token);
                    cut.After(commands);
                    isCut = await IsCutAsync(() => change(Tenants(node), name));
                    cut.Mend();
                }

                // Another node, after the time that a change may take.
                await using var next = await NodeAsync(own.Store);
                await next.Registry.Stored.LoadAsync(Token);
                next.Time.Advance(TimeSpan.FromMinutes(1));
                var log = next.Services.GetRequiredService<AuditLog>();
                await log.BringDueAsync();
                var entries = await log.ListAsync(tenant: null, before: null, since: null, take: 1000);
                var isTold = entries.Any(one => one.Entry.Action == action && Tells(one.Entry, name));
                var isThere = action switch
                {
                    AuditAction.TenantRegistered => next.Registry.Get(name) is not null,
                    AuditAction.TenantChanged => next.Model("acme").Config.Name == name,
                    _ => (await Tenants(next).ListPrincipalsAsync(acme, Token)).Any(one => one.Name == name),
                };
                Assert.Equal(isThere, isTold);
                Assert.True(isCut || isTold);
                found += isTold ? 1 : 0;
                Assert.Empty(await own.Store.Redis.GetFirstAsync(FleetKeyspace.AuditDue, 10));
                Assert.Empty(await own.Store.Redis.GetFirstAsync(new TenantKeyspace(acme).Audit, 10));
            }
        }

        // Some were found although their node was cut off after them.
        Assert.True(found > changes.Length, $"{found} entries");
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task What_waits_in_the_tenants_own_slot_is_in_its_list_already_and_a_purge_brings_it_first(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        await using var node = await NodeAsync(own.Store);
        var acme = TenantId.Parse("acme");
        await Tenants(node).RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var tenant = node.Model("acme");
        var log = node.Services.GetRequiredService<AuditLog>();
        await new PrincipalStore(own.Store.Redis, acme, tenant.Generation).CreateAsync(
            new() { Name = "one" },
            DateTimeOffset.UtcNow,
            AuditEntry.Of(AuditAction.PrincipalIssued, "acme")
        );
        Assert.Equal([AuditAction.PrincipalIssued, AuditAction.TenantRegistered], await ActionsAsync(log, acme));
        Assert.Equal([AuditAction.TenantRegistered], await ActionsAsync(log, tenant: null));
        await Tenants(node).DeleteAsync(acme, Token);
        Assert.Equal(
            new HashSet<string> { AuditAction.TenantDeleted, AuditAction.PrincipalIssued, AuditAction.TenantRegistered },
            [.. await ActionsAsync(log, tenant: null)]
        );
        Assert.Equal(["tenant:{acme}:generation"], await own.Store.KeysAsync("tenant:{acme}:*"));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_oldest_entries_go_beyond_each_bound_and_one_tenant_pushes_out_its_own(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var redis = own.Store.Connect(clock: time);
        var log = Log(new AuditOptions { MaxEntries = 20, MaxEntriesPerTenant = 5 });
        await WriteAsync(log, "acme", 3);
        time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(log, "globex", 9);
        Assert.Equal((3, 5), (await CountAsync(log, "acme"), await CountAsync(log, "globex")));
        for (var i = 0; i < 4; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await WriteAsync(log, $"other{i}", 5);
        }

        Assert.Equal((20, 0, 0), (await CountAsync(log, null), await CountAsync(log, "acme"), await CountAsync(log, "globex")));
        Assert.Equal(20, (await own.Store.Redis.GetFirstAsync(FleetKeyspace.AuditPlaces, 100)).Length);

        var latest = (await log.ListAsync(null, null, null, 1))[0];
        var size = await SizeAsync("of all");
        time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(Log(new AuditOptions { MaxBytes = size / 2 }), "acme", 1);
        Assert.InRange(await CountAsync(log, null), 8, 11);
        Assert.Contains(latest.Id, (await log.ListAsync(null, null, null, 100)).Select(one => one.Id));

        time.Advance(TimeSpan.FromDays(2));
        await WriteAsync(Log(new AuditOptions { Days = 1 }), "acme", 1);
        Assert.Equal(1, await CountAsync(log, null));
        var left = (await own.Store.Redis.GetFirstAsync(FleetKeyspace.Audit, 10)).Single().ToString();
        Assert.Equal((left.Length, left.Length), (await SizeAsync("of all"), await SizeAsync("acme")));

        async Task<long> SizeAsync(string of) => (long)(await own.Store.Redis.GetFieldsAsync(FleetKeyspace.AuditSizes, of))[0];

        AuditLog Log(AuditOptions bounds) => new(redis, Options.Create(new TenancyOptions { Audit = bounds }), time);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Large_entries_of_one_tenant_push_out_its_own_and_the_last_one_stays_however_large_it_is(StoreKind kind)
    {
        await using var own = await OwnStore.StartAsync(kind);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var redis = own.Store.Connect(clock: time);
        var bounds = new AuditOptions
        {
            MaxEntries = 100,
            MaxEntriesPerTenant = 10,
            MaxBytes = 100_000,
        };
        var log = new AuditLog(redis, Options.Create(new TenancyOptions { Audit = bounds }), time);
        await WriteAsync(log, "globex", 5);
        for (var i = 0; i < 60; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await log.WriteAsync([Large("acme", 3000)]);
        }

        Assert.Equal((3, 5), (await CountAsync(log, "acme"), await CountAsync(log, "globex")));
        time.Advance(TimeSpan.FromSeconds(1));
        await log.WriteAsync([Large("acme", 30_000)]);
        Assert.Equal((1, 5), (await CountAsync(log, "acme"), await CountAsync(log, "globex")));
        time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(log, "acme", 1);
        Assert.Equal((1, 5), (await CountAsync(log, "acme"), await CountAsync(log, "globex")));

        static AuditEntry Large(string tenant, int size) =>
            AuditEntry.Of(AuditAction.TenantChanged, tenant) with
            {
                Reason = new string('x', size),
            };
    }

    [Fact]
    public async Task A_tenant_whose_slot_is_away_keeps_no_other_tenants_entries_waiting()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Redis);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var log = new AuditLog(own.Store.Connect(clock: time), Options.Create(new TenancyOptions()), time);
        foreach (var id in new[] { "acme", "globex" })
        {
            // As a node leaves it that died before it brought the entry. A key of another type is refused as a slot that is away is.
            var tenant = new TenantKeyspace(TenantId.Parse(id));
            for (var i = 0; i < (id == "acme" ? 250 : 1); i++)
            {
                await own.Store.Redis.AddAsync(FleetKeyspace.AuditDue, $"{id} {i:D3}", id == "acme" ? 1 : 2);
            }

            if (id == "globex")
            {
                await own.Store.Redis.AddAsync(
                    tenant.Audit,
                    AuditLog.Prepare(AuditEntry.Of(AuditAction.PrincipalIssued, id), time.GetUtcNow()),
                    0
                );
            }
            else
            {
                await (await own.Store.RawAsync()).StringSetAsync((string)tenant.Audit.Value!, "no sorted set");
            }
        }

        await Assert.ThrowsAsync<StoreUnavailableException>(log.BringDueAsync);
        Assert.Equal([AuditAction.PrincipalIssued], await ActionsAsync(log, tenant: null));
        Assert.Equal(250, (await own.Store.Redis.GetFirstAsync(FleetKeyspace.AuditDue, 1000)).Length);
        await (await own.Store.RawAsync()).KeyDeleteAsync((string)new TenantKeyspace(TenantId.Parse("acme")).Audit.Value!);
        await log.BringDueAsync();
        Assert.Empty(await own.Store.Redis.GetFirstAsync(FleetKeyspace.AuditDue, 1000));
    }

    [Fact]
    public void What_changed_is_told_as_the_fields_are_defined()
    {
        var before = RegistryHost.Config("acme") with { Settings = Json("""{"product":"a","key":"secret-1","same":1}""") };
        var after = before with
        {
            Name = new string('x', 3000),
            Settings = Json("""{"product":"b","token":"secret-2","same":1}"""),
            Limits = new() { RateLimit = 5 },
        };
        var changes = AuditChanges.Of(before, after).ToDictionary(change => change.Field);
        Assert.Equal(
            ["limits.rateLimit", "name", "settings.key", "settings.product", "settings.token"],
            changes.Keys.Where(field => !field.StartsWith("limits.", StringComparison.Ordinal) || field == "limits.rateLimit").Order()
        );
        Assert.Equal((AuditChanges.Hidden, null), ($"{changes["settings.key"].Before}", changes["settings.key"].After));
        Assert.Equal((null, AuditChanges.Hidden), (changes["settings.token"].Before, $"{changes["settings.token"].After}"));
        Assert.Equal("(3002 characters)", $"{changes["name"].After}");
        Assert.Empty(AuditChanges.Of(after, after));

        // Settings that are no object have no names.
        var text = AuditChanges.Of(before, before with { Settings = Json("\"secret-3\"") });
        Assert.Equal(["settings"], text.Select(change => change.Field));
        Assert.Equal(AuditChanges.Hidden, $"{text[0].After}");
    }

    private static System.Text.Json.JsonElement Json(string text) => System.Text.Json.JsonDocument.Parse(text).RootElement.Clone();

    private static bool Tells(AuditEntry entry, string name) =>
        entry.Tenant == name || entry.Changes?.Any(change => $"{change.After}" == name) is true;

    private static Task WriteAsync(AuditLog log, string tenant, int count) =>
        log.WriteAsync([.. Enumerable.Range(0, count).Select(_ => AuditEntry.Of(AuditAction.TenantRechecked, tenant))]);

    private static async Task<int> CountAsync(AuditLog log, string? tenant) =>
        (await log.ListAsync(tenant is null ? null : TenantId.Parse(tenant), null, null, 1000)).Count;

    private static async Task<string[]> ActionsAsync(AuditLog log, TenantId? tenant) =>
        [.. (await log.ListAsync(tenant, null, null, 100)).Select(one => one.Entry.Action)];

    private static Task<RegistryHost> NodeAsync(TestStore store, CutOff? cut = null)
    {
        cut ??= new();
        return RegistryHost.CreateAsync(settings: new() { ["Tenancy:AutoValidate"] = "false" }, services: services =>
            services.AddSingleton(store.Connect(profiler: cut.Next))
        );
    }

    private static ITenantAdministration Tenants(RegistryHost node) => node.Services.GetRequiredService<ITenantAdministration>();

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
}
