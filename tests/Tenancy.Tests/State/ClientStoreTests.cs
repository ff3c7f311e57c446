// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

[Tier(Tier.Process)]
public sealed class ClientStoreTests(TestStores stores)
{
    private const string Issuer = "https://auth.example.com";
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(10);

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task The_quota_holds_to_the_client_however_many_are_listed_at_once(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var nodes = store.Connect(4);
        var created = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(i =>
                    new ClientStore(nodes[i % nodes.Length], store.Tenant, generation: 0).CreateAsync(
                        new($"client-{i % 30}", Issuer),
                        Lifetime,
                        maxClients: 10
                    )
                )
        );
        Assert.Equal(10, created.Count(one => one.Client is not null));
        Assert.Equal(10, created.Select(one => one.Client?.Handle).OfType<string>().Distinct().Count());
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        var (listed, count, next) = await clients.ListAsync(cursor: null, take: 100);
        Assert.Equal((10, 10, null), (listed.Count, count, next));

        // A place that is given back is one place.
        Assert.True(await clients.DeleteAsync(listed[0].Handle));
        var again = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i =>
                    new ClientStore(nodes[i % nodes.Length], store.Tenant, generation: 0).CreateAsync(
                        new($"late-{i}", Issuer),
                        Lifetime,
                        maxClients: 10
                    )
                )
        );
        Assert.Single(again, one => one.Refusal == ClientRefusal.None);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_client_that_is_not_used_expires_and_gives_its_place_back(StoreKind kind)
    {
        var clock = new MovableClock();
        await using var store = await stores.GetAsync(kind, clock);
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        var (client, _) = await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 1);
        Assert.Equal(ClientRefusal.IsListed, (await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 1)).Refusal);
        Assert.Equal(ClientRefusal.TooMany, (await clients.CreateAsync(new("other", Issuer), Lifetime, maxClients: 1)).Refusal);
        Assert.Equal(clock.GetUtcNow() + Lifetime, client!.ExpiresAt, TimeSpan.FromMinutes(1));

        clock.Advance(Lifetime);
        Assert.Null(await clients.UseAsync(Issuer, "client"));
        Assert.Null(await clients.FindAsync(client.Handle, clock.GetUtcNow()));
        Assert.Null(await clients.RefreshAsync(client, client.Record));
        Assert.Equal((0, 0), (await clients.ListAsync(cursor: null, take: 10)) is var (page, count, _) ? (page.Count, count) : default);
        Assert.Equal(ClientRefusal.None, (await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 1)).Refusal);
        Assert.NotNull(await clients.UseAsync(Issuer, "client"));
        clock.Advance(Lifetime);
        Assert.False(await clients.DeleteAsync(client.Handle));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Use_renews_a_client_once_a_tenth_of_its_lifetime_has_passed(StoreKind kind)
    {
        var clock = new MovableClock();
        await using var store = await stores.GetAsync(kind, clock);
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        var (client, _) = await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 1);

        clock.Advance(Lifetime / 20);
        Assert.InRange((await clients.UseAsync(Issuer, "client"))!.Value, TimeSpan.FromDays(9.4), TimeSpan.FromDays(9.6));
        Assert.Equal(client!.ExpiresAt, (await clients.FindAsync(client.Handle, clock.GetUtcNow()))!.ExpiresAt);

        clock.Advance(Lifetime / 20);
        Assert.Equal(Lifetime, await clients.UseAsync(Issuer, "client"));
        Assert.Equal(
            clock.GetUtcNow() + Lifetime,
            (await clients.FindAsync(client.Handle, clock.GetUtcNow()))!.ExpiresAt,
            TimeSpan.FromMinutes(1)
        );

        for (var i = 0; i < 5; i++)
        {
            clock.Advance(Lifetime * 0.9);
            Assert.Equal(Lifetime, await clients.UseAsync(Issuer, "client"));
            Assert.Equal(ClientRefusal.TooMany, (await clients.CreateAsync(new("other", Issuer), Lifetime, maxClients: 1)).Refusal);
        }
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_refresh_renews_the_client_that_was_read_and_no_later_one(StoreKind kind)
    {
        var clock = new MovableClock();
        await using var store = await stores.GetAsync(kind, clock);
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        var (client, _) = await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 1);
        clock.Advance(Lifetime / 2);
        var refreshed = await clients.RefreshAsync(client!, client!.Record with { Name = "new" });
        Assert.Equal(refreshed, await clients.FindAsync(client.Handle, clock.GetUtcNow()));
        Assert.Equal("new", refreshed!.Record.Name);
        Assert.Equal(clock.GetUtcNow() + Lifetime, refreshed.ExpiresAt, TimeSpan.FromMinutes(1));

        Assert.True(await clients.DeleteAsync(client.Handle));
        clock.Advance(TimeSpan.FromSeconds(1));
        await clients.CreateAsync(new("client", Issuer) { Name = "another" }, Lifetime, maxClients: 1);
        Assert.Null(await clients.RefreshAsync(client, client.Record));
        Assert.Equal("another", (await clients.FindAsync(client.Handle, clock.GetUtcNow()))!.Record.Name);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task Pages_show_each_client_once_in_the_order_in_which_they_came(StoreKind kind)
    {
        var clock = new MovableClock();
        await using var store = await stores.GetAsync(kind, clock);
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        for (var i = 0; i < 7; i++)
        {
            await clients.CreateAsync(new($"client-{i}", Issuer), Lifetime / (i + 1), maxClients: 10);
            clock.Advance(TimeSpan.FromMilliseconds(2));
        }

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            (var page, var count, cursor) = await clients.ListAsync(cursor, take: 3);
            Assert.Equal(7, count);
            seen.AddRange(page.Select(client => client.Record.ClientId));

            // What is renewed between two pages keeps its place.
            clock.Advance(Lifetime / 60);
            await clients.UseAsync(Issuer, "client-0");
        } while (cursor is not null);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"client-{i}"), seen);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_client_of_one_issuer_is_none_of_another(StoreKind kind)
    {
        await using var store = await stores.GetAsync(kind);
        var clients = new ClientStore(store.Redis, store.Tenant, generation: 0);
        await clients.CreateAsync(new("client", Issuer), Lifetime, maxClients: 10);
        Assert.NotNull(await clients.UseAsync(Issuer, "client"));
        Assert.Null(await clients.UseAsync(Issuer + "/", "client"));
        Assert.Null(await clients.UseAsync("https://evil.example.com", "client"));
        Assert.Null(await clients.UseAsync(Issuer + "client", ""));
    }
}
