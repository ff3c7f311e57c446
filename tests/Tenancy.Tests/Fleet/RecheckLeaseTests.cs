using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;

namespace Tenancy.Tests.Fleet;

/// <summary>The scheduled check of a tenant runs on one node of all that share a store.</summary>
[Tier(Tier.Process)]
public sealed class RecheckLeaseTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task One_node_checks_and_the_others_take_its_result_over(StoreKind kind)
    {
        await using var nodes = await Nodes.StartAsync(kind);
        var (time, first, second) = (nodes.Time, nodes.First, nodes.Second);
        var (one, other) = (nodes.One, nodes.Other);

        time.Advance(TimeSpan.FromMinutes(20));
        Assert.True(await one.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        await one.Registry.Checks.FlushAsync();
        Assert.True(await other.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        Assert.Equal((2, 0), (first.Count("acme"), second.Count("acme")));
        Assert.Equal(one.Model("acme").Record.Check, other.Model("acme").Record.Check);

        // It is the turn of whoever comes first.
        time.Advance(TimeSpan.FromMinutes(20));
        Assert.True(await other.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        await other.Registry.Checks.FlushAsync();
        Assert.True(await one.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        Assert.Equal((2, 1), (first.Count("acme"), second.Count("acme")));

        // Of a tenant whose health was written nothing is kept for that.
        await other.Registry.Checks.FlushAsync();
        await Poll.UntilAsync(() => Task.FromResult((one.Registry.Checks.Writing, other.Registry.Checks.Writing) == (0, 0)));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task While_one_node_checks_another_does_not_and_where_it_has_died_the_other_does_after_the_lease(StoreKind kind)
    {
        await using var nodes = await Nodes.StartAsync(kind);
        var (time, first, second) = (nodes.Time, nodes.First, nodes.Second);
        var (one, other) = (nodes.One, nodes.Other);

        time.Advance(TimeSpan.FromMinutes(20));
        var check = first.Hold("acme");
        var checking = one.Registry.Checks.RecheckInTurnAsync(Acme, Token);
        await check.Started;
        Assert.False(await other.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        Assert.Equal(0, second.Count("acme"));

        // The lease ends by itself, when the node that had it is not heard of any more.
        await (await nodes.Own.Store.RawAsync()).KeyDeleteAsync("{tenants}:lease:acme");
        Assert.True(await other.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        await other.Registry.Checks.FlushAsync();
        Assert.Equal(1, second.Count("acme"));

        // A result that comes late is not kept over a later one.
        second.Answer("acme", GatedValidator.Permanent);
        time.Advance(TimeSpan.FromSeconds(1));
        await other.Registry.Checks.RecheckAsync(Acme, Token);
        await other.Registry.Checks.FlushAsync();
        await one.Registry.Stored.FollowAsync(Acme, Token);
        Assert.Equal(TenantHealth.Disabled, one.Model("acme").Health);
        check.End(GatedValidator.Valid);
        await checking;
        await one.Registry.Checks.FlushAsync();
        Assert.Equal(TenantHealth.Disabled, one.Model("acme").Health);
        await one.Registry.Stored.FollowAsync(Acme, Token);
        await other.Registry.Stored.FollowAsync(Acme, Token);
        Assert.Equal((TenantHealth.Disabled, TenantHealth.Disabled), (one.Model("acme").Health, other.Model("acme").Health));
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_node_that_stops_gives_back_its_claim_and_no_other(StoreKind kind)
    {
        await using var nodes = await Nodes.StartAsync(kind);
        var (time, first, second) = (nodes.Time, nodes.First, nodes.Second);
        time.Advance(TimeSpan.FromMinutes(20));
        using var stops = new CancellationTokenSource();
        var check = first.Hold("acme");
        var checking = nodes.One.Registry.Checks.RecheckInTurnAsync(Acme, stops.Token);
        await check.Started;

        // Longer than the platform and two validators may take.
        var store = await nodes.Own.Store.RawAsync();
        Assert.InRange(
            (await store.KeyTimeToLiveAsync("{tenants}:lease:acme"))!.Value,
            TimeSpan.FromSeconds(91),
            TimeSpan.FromSeconds(120)
        );
        await nodes.Other.Services.GetRequiredService<ITenantStore>().ReleaseRecheckAsync(Acme);
        Assert.False(await nodes.Other.Registry.Checks.RecheckInTurnAsync(Acme, Token));

        await stops.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => checking);
        Assert.True(await nodes.Other.Registry.Checks.RecheckInTurnAsync(Acme, Token));
        Assert.Equal(1, second.Count("acme"));
        check.End(GatedValidator.Valid);
    }

    [Theory]
    [ClassData(typeof(StoreKinds))]
    public async Task A_result_that_comes_late_does_not_stay_where_nobody_was_told_of_the_later_one(StoreKind kind)
    {
        await using var nodes = await Nodes.StartAsync(kind);
        var (time, first, second) = (nodes.Time, nodes.First, nodes.Second);
        var (one, other) = (nodes.One, nodes.Other);

        // An admin mends what the first check waits for, and looks at it on the other node.
        time.Advance(TimeSpan.FromMinutes(1));
        var check = first.Hold("acme");
        var checking = one.Registry.Checks.RecheckAsync(Acme, Token);
        await check.Started;
        time.Advance(TimeSpan.FromSeconds(10));
        await other.Registry.Checks.RecheckAsync(Acme, Token);
        await other.Registry.Checks.FlushAsync();
        time.Advance(TimeSpan.FromSeconds(10));
        check.End(GatedValidator.Permanent);
        await checking;
        await one.Registry.Checks.FlushAsync();
        await one.Registry.Stored.FollowAsync(Acme, Token);
        await other.Registry.Stored.FollowAsync(Acme, Token);
        Assert.Equal((TenantHealth.Healthy, TenantHealth.Healthy), (one.Model("acme").Health, other.Model("acme").Health));
    }

    /// <summary>Two nodes on one store, each with a validator of its own, that know a tenant which the first one has checked.</summary>
    private sealed class Nodes : IAsyncDisposable
    {
        public required OwnStore Own { get; init; }

        public required RegistryHost One { get; init; }

        public required RegistryHost Other { get; init; }

        public required FakeTimeProvider Time { get; init; }

        public required GatedValidator First { get; init; }

        public required GatedValidator Second { get; init; }

        public static async Task<Nodes> StartAsync(StoreKind kind)
        {
            var own = await OwnStore.StartAsync(kind);
            var (time, first, second) = (new FakeTimeProvider(DateTimeOffset.UtcNow), new GatedValidator(), new GatedValidator());
            var one = await NodeAsync(own, first, time);
            await one.Registry.RegisterAsync(RegistryHost.Config("acme"), awaitFirstValidation: true, cancellationToken: Token);
            await one.Registry.Checks.FlushAsync();
            var other = await NodeAsync(own, second, time);
            await other.Registry.Stored.LoadAsync(Token);
            return new()
            {
                Own = own,
                One = one,
                Other = other,
                Time = time,
                First = first,
                Second = second,
            };
        }

        public async ValueTask DisposeAsync()
        {
            await Other.DisposeAsync();
            await One.DisposeAsync();
            await Own.DisposeAsync();
        }

        private static Task<RegistryHost> NodeAsync(OwnStore own, GatedValidator validator, FakeTimeProvider time) =>
            RegistryHost.CreateAsync(validator, time: time, services: services => services.AddSingleton(own.Store.Connect()));
    }
}
