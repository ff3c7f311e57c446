using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>What a token names, its issuer and audience, belongs to one tenant.</summary>
[Tier(Tier.Server)]
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
