using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>A listing gives a page of those tenants that fit, however many there are, and refuses what it does not know.</summary>
[Tier(Tier.Server)]
public sealed class AdminListTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_have_each_tenant_once_by_id_and_no_page_has_all_of_many()
    {
        await using var server = await TenancyServer.StartAsync();
        for (var i = 0; i < 120; i++)
        {
            await RegisterAsync(server, new { id = $"t{i:000}" });
        }

        var first = await ListAsync(server, "");
        Assert.Equal((100, 122), (first["tenants"]!.AsArray().Count, (int)first["count"]!));
        var (seen, cursor) = (new List<string>(), "");
        do
        {
            var page = await ListAsync(server, $"?take=50{cursor}");
            Assert.InRange(page["tenants"]!.AsArray().Count, 1, 50);
            seen.AddRange(Ids(page));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next}" : null;
        } while (cursor is not null);

        Assert.Equal(122, seen.Distinct().Count());
        Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
    }

    [Fact]
    public async Task A_page_goes_on_where_the_tenant_before_it_is_gone_meanwhile()
    {
        await using var server = await TenancyServer.StartAsync();
        await RegisterAsync(server, new { id = "bcd" });
        var page = await ListAsync(server, "?take=2");
        Assert.Equal(["acme", "bcd"], Ids(page));
        using (await server.AdminAsync(HttpMethod.Delete, "/bcd"))
        {
            Assert.Equal(["globex"], Ids(await ListAsync(server, $"?take=2&cursor={page["nextCursor"]}")));
        }
    }

    [Fact]
    public async Task Filters_are_status_health_platform_and_text_and_all_that_are_given_count()
    {
        await using var server = await TenancyServer.StartAsync();
        await RegisterAsync(
            server,
            new
            {
                id = "bcd",
                name = "Die Zeitung",
                status = "suspended",
            }
        );
        await RegisterAsync(
            server,
            new
            {
                id = "cde",
                platform = "retailer",
                urls = new[] { "https://zeitung.example.com" },
            }
        );
        Assert.Equal(["bcd"], Ids(await ListAsync(server, "?status=suspended")));
        Assert.Equal(["acme", "cde", "globex"], Ids(await ListAsync(server, "?status=active")));
        Assert.Equal(["cde", "globex"], Ids(await ListAsync(server, "?platform=retailer")));
        Assert.Equal(["bcd", "cde"], Ids(await ListAsync(server, "?text=ZEITUNG")));
        Assert.Equal(["cde"], Ids(await ListAsync(server, "?text=zeitung&health=healthy&status=active")));
        Assert.Empty(Ids(await ListAsync(server, "?health=disabled")));
        Assert.Equal(2, (int)(await ListAsync(server, "?platform=retailer&take=1"))["count"]!);
    }

    [Theory]
    [InlineData("status=enabled", "status", "active or suspended")]
    [InlineData("status=0", "status", "active or suspended")]
    [InlineData("status=Active", "status", "active or suspended")]
    [InlineData("health=fine", "health", "pending or healthy or unverified or disabled")]
    [InlineData("platform=paper", "platform", "publisher or retailer")]
    [InlineData("take=0", "take", "1 to 1000")]
    [InlineData("take=1001", "take", "1 to 1000")]
    [InlineData("limit=1", "limit", "take")]
    [InlineData("text=", "text", "1 to 200 characters")]
    [InlineData("cursor=../acme", "cursor", "nextCursor")]
    public async Task What_it_does_not_know_is_refused_by_name_and_value(string query, string field, string said)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await server.AdminAsync(HttpMethod.Get, "?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        Assert.Contains(said, (string)problem["errors"]![field]![0]!, StringComparison.Ordinal);
    }

    private static string[] Ids(JsonNode page) => [.. page["tenants"]!.AsArray().Select(tenant => (string)tenant!["id"]!)];

    private static async Task<JsonNode> ListAsync(TenancyServer server, string query)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, query);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
    }

    private static async Task RegisterAsync(TenancyServer server, object tenant)
    {
        using var response = await server.AdminAsync(HttpMethod.Post, "?wait=true", tenant);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }
}
