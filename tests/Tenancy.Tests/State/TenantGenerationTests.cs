using Microsoft.Extensions.DependencyInjection;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;

namespace Tenancy.Tests.State;

/// <summary>Each life of an id has a number of its own, which the tenant's slot holds and every write names.</summary>
[Tier(Tier.Process)]
public sealed class TenantGenerationTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Registering_makes_it_and_a_delete_and_a_registration_after_it_raise_it(StoreKind kind)
    {
        await using var redis = kind == StoreKind.Redis ? await RedisServer.StartAsync() : null;
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        var tenants = host.Services.GetRequiredService<ITenantAdministration>();
        await tenants.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var first = host.Model("acme").Generation;
        Assert.Equal(first, host.Model("acme").Version);
        Assert.Equal(first, await StoredAsync(host));

        await tenants.UpdateAsync(Acme, tenant => tenant with { Name = "ACME" }, cancellationToken: Token);
        Assert.Equal(first, host.Model("acme").Generation);
        Assert.Equal(first, await StoredAsync(host));

        await tenants.DeleteAsync(Acme, Token);
        var ended = await StoredAsync(host);
        Assert.True(ended > first);

        await tenants.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        Assert.True(host.Model("acme").Generation > ended);
        Assert.Equal(host.Model("acme").Generation, await StoredAsync(host));
    }

    [Fact]
    public async Task A_tenant_of_an_older_release_gets_one_when_it_is_loaded_and_never_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await redis.ExecuteAsync("HDEL", "{tenants}:metadata:acme", "generation");
        await redis.ExecuteAsync("DEL", "tenant:{acme}:generation");

        await using (var next = await RegistryHost.CreateAsync(redis: redis))
        {
            await next.Registry.Stored.LoadAsync(Token);
            Assert.Equal(next.Model("acme").Version, next.Model("acme").Generation);
            Assert.Equal(next.Model("acme").Generation, await StoredAsync(next));
        }

        // A store that lost what a tenant kept must not look as if it had not.
        await redis.ExecuteAsync("DEL", "tenant:{acme}:generation");
        await using var last = await RegistryHost.CreateAsync(redis: redis);
        await last.Registry.Stored.LoadAsync(Token);
        Assert.NotEqual(0, last.Model("acme").Generation);
        Assert.Null(await StoredAsync(last));
    }

    private static async Task<long?> StoredAsync(RegistryHost host) =>
        (long?)await host.Services.GetRequiredService<RedisConnection>().GetAsync(new TenantKeyspace(Acme).Generation);
}
