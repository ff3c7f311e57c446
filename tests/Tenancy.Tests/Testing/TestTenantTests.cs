using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.Testing;
using Tenancy.Tests.Docs.Snippets;

namespace Tenancy.Tests.Testing;

/// <summary>What an application puts in the library's way is tested by itself, without a server.</summary>
public sealed class TestTenantTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_validator_is_tested_with_a_tenant_and_with_another()
    {
        var validator = new KeyCards();
        var (acme, globex) = (TestTenant.Create(new() { Id = "acme" }), TestTenant.Create(new() { Id = "globex" }));
        Assert.Equal("card.acme.7", (await validator.ValidateAsync(acme, "card.acme.7", Token))?.Id);
        Assert.Null(await validator.ValidateAsync(globex, "card.acme.7", Token));
    }

    [Fact]
    public void What_is_left_out_is_as_on_a_server_without_settings_and_what_is_given_stays()
    {
        var plain = TestTenant.Create(new() { Id = "acme" });
        Assert.Equal(("acme", "acme", 1L, TenantHealth.Healthy), (plain.Id.Value, plain.Config.Name, plain.Version, plain.Health));
        Assert.Equal(TenantAuthenticationKind.Bearer, plain.Config.Authentication!.Kind);
        Assert.Equal(new TenantLimits(), plain.Config.Limits);
        var own = TestTenant.Create(
            new()
            {
                Id = "acme",
                Name = "ACME",
                Urls = ["https://acme.example.com/eu"],
                Limits = new(MaxSessions: 3),
                Authentication = new() { Kind = TenantAuthenticationKind.None },
                Status = TenantAdminStatus.Suspended,
            },
            version: 7
        );
        Assert.Equal(("ACME", 7L, 3, true), (own.Config.Name, own.Version, own.Config.Limits!.MaxSessions, own.IsSuspended));
        Assert.Equal(TenantAuthenticationKind.None, own.Config.Authentication!.Kind);
        Assert.Equal("acme.example.com", Assert.Single(own.Urls).Host);
    }

    [Fact]
    public void It_serves_nothing_as_nothing_could_be_built_for_it() => Assert.False(TestTenant.Create(new() { Id = "acme" }).IsServing);

    [Fact]
    public void An_id_that_no_tenant_can_have_is_refused() =>
        Assert.ThrowsAny<FormatException>(() => TestTenant.Create(new() { Id = "Not an id" }));

    [Fact]
    public void Middleware_finds_the_tenant_at_its_request()
    {
        var (context, tenant) = (new DefaultHttpContext(), TestTenant.Create(new() { Id = "acme", Urls = ["https://acme.example.com"] }));
        context.Features.Set(TestTenant.Feature(tenant, tenant.Urls[0]));
        var feature = context.Features.Get<ITenantFeature>();
        Assert.Same(tenant, feature!.Tenant);
        Assert.Equal(tenant.Urls[0], feature.Url);
        Assert.Null(TestTenant.Feature(tenant).Url);
    }
}
