using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>What a token names, its issuer and audience, belongs to one tenant.</summary>
[Tier(Tier.Process)]
public sealed class TokenClaimsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_tenants_with_one_issuer_and_a_common_audience_are_refused_both_ways()
    {
        await using var host = await RegistryHost.CreateAsync(settings: new() { ["Tenancy:AutoValidate"] = "false" });
        await host.Registry.RegisterAsync(Config("acme", "https://id.example", "api"), cancellationToken: Token);
        var refused = await Assert.ThrowsAsync<TenantConflictException>(() =>
            host.Registry.RegisterAsync(Config("globex", "https://id.example", "other", "api"), cancellationToken: Token)
        );
        Assert.Equal("authentication", refused.Field);
        Assert.Contains("'acme'", refused.Message, StringComparison.Ordinal);

        await host.Registry.RegisterAsync(Config("globex", "https://id.example", "other"), cancellationToken: Token);
        await Assert.ThrowsAsync<TenantConflictException>(() =>
            host.Registry.Changes.UpdateAsync(
                TenantId.Parse("globex"),
                _ => Config("globex", "https://id.example", "api"),
                null,
                force: true,
                Token
            )
        );
        await host.Registry.RegisterAsync(Config("initech", "https://other.example", "api"), cancellationToken: Token);

        // An audience that a tenant gives up is free at once.
        await host.Registry.Changes.UpdateAsync(
            TenantId.Parse("acme"),
            _ => Config("acme", "https://id.example", "new"),
            null,
            force: true,
            Token
        );
        await host.Registry.Changes.UpdateAsync(
            TenantId.Parse("globex"),
            _ => Config("globex", "https://id.example", "api"),
            null,
            force: true,
            Token
        );
    }

    // Scripts hold it, and each store runs them by an engine of its own.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tenants_of_one_issuer_that_find_clients_by_two_claims_are_refused_on_each_store(bool isRedis)
    {
        await using var redis = isRedis ? await RedisServer.StartAsync() : null;
        await using var host = await RegistryHost.CreateAsync(redis: redis, settings: new() { ["Tenancy:AutoValidate"] = "false" });
        await RegisterAsync("acme", null);
        await RegisterAsync("globex", null);
        await AssertRefusedAsync(() => RegisterAsync("initech", "org_id"));
        await AssertRefusedAsync(() => UpdateAsync("globex", "org_id"));
        await UpdateAsync("globex", null);

        // Whoever is alone may change it, and is counted once however often it is changed.
        await RemoveAsync("acme");
        await UpdateAsync("globex", "org_id");
        await UpdateAsync("globex", "org_id");
        await AssertRefusedAsync(() => RegisterAsync("umbra", null));
        await AssertRefusedAsync(() => RegisterAsync("umbra", "client_id"));
        await RegisterAsync("initech", "org_id");
        await RemoveAsync("globex");
        await AssertRefusedAsync(() => RegisterAsync("umbra", null));
        await RemoveAsync("initech");
        await RegisterAsync("umbra", null);

        Task RegisterAsync(string id, string? claim) => host.Registry.RegisterAsync(ByClients(id, claim), cancellationToken: Token);

        Task UpdateAsync(string id, string? claim) =>
            host.Registry.Changes.UpdateAsync(TenantId.Parse(id), _ => ByClients(id, claim), null, force: true, Token);

        Task RemoveAsync(string id) => host.Registry.Changes.RemoveAsync(TenantId.Parse(id), purge: true);

        static async Task AssertRefusedAsync(Func<Task> change) =>
            Assert.Equal("authentication.clientClaim", (await Assert.ThrowsAsync<TenantConflictException>(change)).Field);
    }

    private static TenantConfig ByClients(string id, string? claim)
    {
        var config = Config(id, "https://id.example");
        return config with
        {
            Authentication = config.Authentication! with { RequireClients = true, AudienceFromClients = true, ClientClaim = claim },
        };
    }

    private static TenantConfig Config(string id, string issuer, params string[] audiences) =>
        RegistryHost.Config(id) with
        {
            Authentication = new()
            {
                Kind = TenantAuthenticationKind.Jwks,
                Issuer = issuer,
                Audiences = audiences,
            },
        };
}
