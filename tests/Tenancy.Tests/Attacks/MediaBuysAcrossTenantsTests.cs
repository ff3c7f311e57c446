using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>What acme keeps is nothing to globex, however both are named and whichever protocol is spoken.</summary>
/// <remarks>Each test leaves a media buy at acme, and none leaves one at globex.</remarks>
[Tier(Tier.Server)]
public sealed class MediaBuysAcrossTenantsTests(SharedServer shared) : IClassFixture<SharedServer>
{
    public static TheoryData<Way, Generation> Everywhere => CrossTenantTests.Everywhere;

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_media_buy_of_one_tenant_is_unknown_at_another(Way way, Generation generation)
    {
        var server = shared.Host;
        var before = await BuysAsync("acme", McpCalls.Acme, null);
        var id = (await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy(), way, generation))[
            "structuredContent"
        ]!["media_buy_id"]!.ToString();
        Assert.Equal(id, Assert.Single(await BuysAsync("acme", McpCalls.Acme, id)));
        var after = await BuysAsync("acme", McpCalls.Acme, null);
        Assert.Equal(before.Append(id).Order(StringComparer.Ordinal), after.Order(StringComparer.Ordinal));
        Assert.Empty(await BuysAsync("globex", McpCalls.Globex, id));
        Assert.Empty(await BuysAsync("globex", McpCalls.Globex, null));

        async Task<string[]> BuysAsync(string tenant, string token, string? wanted)
        {
            var arguments = wanted is null ? new JsonObject() : new JsonObject { ["media_buy_ids"] = new JsonArray(wanted) };
            var result = await server.CallAsync(tenant, token, "get_media_buys", arguments, way, generation);
            return [.. result["structuredContent"]!["media_buys"]!.AsArray().Select(buy => buy!["media_buy_id"]!.ToString())];
        }
    }
}
