using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

public sealed class SmokeTests
{
    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Each_tenant_sees_its_own_products(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        Assert.Equal("acme-banner", (await server.CallAsync("acme", McpCalls.Acme, "get_products"))["structuredContent"]!["products"]![0]!["product_id"]!.ToString());
        Assert.Equal("globex-shelf", (await server.CallAsync("globex", McpCalls.Globex, "get_products"))["structuredContent"]!["products"]![0]!["product_id"]!.ToString());
    }
}
