using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Testing;

namespace Tenancy.Tests.Docs.Snippets;

/// <summary>What the tests of a handler look like; CustomisePageTests runs it.</summary>
internal static class ShopToolsSample
{
    public static async Task Greets_in_the_shops_own_words()
    {
        await using var tenancy = await TestTenancy.CreateAsync(
            builder => builder.AddEmbeddedStore().AddPlatform<Shop>("shop"),
            new TenantConfig { Id = "berlin" }
        );
        using var call = tenancy.Begin("berlin", principalId: "ann");
        var greeting = new ShopTools(TimeProvider.System).Greet(call.Context);
        Assert.StartsWith("Hello, principal:ann", greeting, StringComparison.Ordinal);
    }
}
