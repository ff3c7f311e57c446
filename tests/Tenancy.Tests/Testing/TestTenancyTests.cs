using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Testing;

/// <summary>A handler is tested by itself: its context is real, and no web server is started for it.</summary>
[Tier(Tier.Server)]
public sealed class TestTenancyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_handler_runs_for_a_tenant_with_its_platform_and_its_documents()
    {
        await using var tenancy = await StartAsync(Tenant("acme", "banner"), Tenant("globex", "shelf"));
        Assert.Null(tenancy.Services.GetService<IServer>());
        using (var call = tenancy.Begin("acme"))
        {
            Assert.Equal("banner", call.Context.Platform<ITestSeller>().Product);
            Assert.Equal("acme|principal:tester|principal:tester", TestTools.WhoAmI(call.Context));
            await call.Context.Documents<TestBuy>().CreateAsync(new() { Seller = "acme", Budget = 250 }, cancellationToken: Token);
            await call.CommitAsync(Token);
        }

        using var again = tenancy.Begin("acme");
        var answer = await new TestSelling().GetAsync(new(), again.Context, Token);
        Assert.Equal(250, Assert.Single(answer.MediaBuys).TotalBudget);
        using var foreign = tenancy.Begin("globex");
        Assert.Empty((await new TestSelling().GetAsync(new(), foreign.Context, Token)).MediaBuys);
        using var other = tenancy.Begin("acme", "somebody else");
        Assert.Empty((await new TestSelling().GetAsync(new(), other.Context, Token)).MediaBuys);
    }

    [Fact]
    public async Task A_context_ends_with_its_call()
    {
        await using var tenancy = await StartAsync(Tenant("acme", "banner"));
        var call = tenancy.Begin("acme");
        call.Dispose();
        Assert.Throws<InvalidOperationException>(() => call.Context.Documents<TestBuy>());
    }

    [Fact]
    public async Task A_tenant_that_cannot_be_served_is_said_with_the_reason()
    {
        var settings = JsonSerializer.SerializeToElement(new { fail = "no ad server configured" });
        var failing = new TenantConfig { Id = "acme", Settings = settings };
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(failing));
        Assert.Contains("no ad server configured", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_store_it_is_said_which_one_to_add()
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestTenancy.CreateAsync(tenancy => tenancy.AddPlatform<TestPublisher>("publisher"), Tenant("acme", "banner"))
        );
        Assert.Contains("AddEmbeddedStore()", refused.Message, StringComparison.Ordinal);
    }

    private static Task<TestTenancy> StartAsync(params TenantConfig[] tenants) =>
        TestTenancy.CreateAsync(tenancy => tenancy.AddEmbeddedStore().AddAdcp().AddPlatform<TestPublisher>("publisher"), tenants);

    private static TenantConfig Tenant(string id, string product) =>
        new() { Id = id, Settings = JsonSerializer.SerializeToElement(new { product }) };
}
