using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

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
    public async Task The_first_twenty_deletions_that_are_under_way_are_a_list_of_their_own_with_how_far_each_is()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(clock));
        var store = server.Services.GetRequiredService<ITenantStore>();
        for (var i = 0; i < 23; i++)
        {
            await RegisterAsync(server, new { id = $"t{i:00}" });
            var entry = AuditEntry.Of(AuditAction.TenantDeleted, $"t{i:00}");
            await store.RemoveAsync(TenantId.Parse($"t{i:00}"), purge: true, entry);
        }

        using var response = await server.AdminAsync(HttpMethod.Get, "/../deletions");
        var deletions = (await McpCalls.ReadAsync(response))["deletions"]!.AsArray();
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"t{i:00}"), deletions.Select(one => (string)one!["id"]!).Order());
        Assert.All(deletions, one => Assert.Equal(0, (int)one!["deleted"]!));
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

        // A search that has looked at all says how many there are.
        var zeitung = await ListAsync(server, "?text=zeitung&take=1");
        Assert.Equal(["bcd"], Ids(zeitung));
        Assert.Equal((null, "bcd"), ((int?)zeitung["count"], (string?)zeitung["nextCursor"]));
        Assert.Equal(["cde"], Ids(await ListAsync(server, "?text=zeitung&take=1&cursor=bcd")));
        Assert.Equal(2, (int)(await ListAsync(server, "?text=zeitung&take=2"))["count"]!);

        // Who gets another platform is found there.
        using (await server.AdminAsync(HttpMethod.Patch, "/bcd?force=true", new { platform = "retailer" })) { }

        Assert.Equal(["bcd", "cde", "globex"], Ids(await ListAsync(server, "?platform=retailer")));
        Assert.Equal(["acme"], Ids(await ListAsync(server, "?platform=publisher")));
    }

    [Fact]
    public async Task Broken_ones_are_those_that_nobody_suspended_and_that_are_not_healthy_and_the_summary_counts_all()
    {
        var validator = new GatedValidator();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ITenantValidator>(validator));
        validator.Answer("bcd", GatedValidator.Permanent);
        validator.Answer("cde", GatedValidator.Permanent);
        validator.Answer("def", GatedValidator.Transient);
        foreach (var id in new[] { "bcd", "cde", "def" })
        {
            await RegisterAsync(server, new { id });
        }

        using (await server.AdminAsync(HttpMethod.Patch, "/cde?force=true", new { status = "suspended" })) { }

        var healthy = new Dictionary<string, int>();
        await Poll.UntilAsync(async () => (healthy = await SummaryAsync(server))["healthy"] == 2);
        Assert.Equal(
            new Dictionary<string, int>
            {
                ["pending"] = 1,
                ["healthy"] = 2,
                ["unverified"] = 0,
                ["disabled"] = 1,
                ["suspended"] = 1,
            },
            healthy
        );
        var broken = await ListAsync(server, "?health=broken&take=1");
        Assert.Equal((2, "bcd"), ((int)broken["count"]!, (string)broken["nextCursor"]!));
        Assert.Equal(["bcd"], Ids(broken));
        Assert.Equal(["def"], Ids(await ListAsync(server, "?health=broken&take=1&cursor=bcd")));
        Assert.Equal(["bcd", "cde"], Ids(await ListAsync(server, "?health=disabled")));
        Assert.Equal(["cde"], Ids(await ListAsync(server, "?status=suspended&health=disabled")));

        // Repaired, and taken out.
        validator.Answer("bcd", GatedValidator.Valid);
        using (await server.AdminAsync(HttpMethod.Post, "/bcd/recheck")) { }

        using (await server.AdminAsync(HttpMethod.Delete, "/def")) { }

        Assert.Empty(Ids(await ListAsync(server, "?health=broken")));
        Assert.Equal((3, 0), ((await SummaryAsync(server))["healthy"], (await SummaryAsync(server))["pending"]));
    }

    [Fact]
    public async Task A_key_of_one_tenant_is_not_told_how_many_there_are()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Admin:TenantKeys:0"] = "acme=own" }
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/summary");
        request.Headers.Add("X-Admin-API-Key", "own");
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        using var list = await server.AdminAsync(HttpMethod.Get, "?health=healthy", key: "own");
        var page = JsonNode.Parse(await list.Content.ReadAsStringAsync(Token))!;
        Assert.Equal(1, (int)page["count"]!);
        Assert.Equal(["acme"], Ids(page));
    }

    private static async Task<Dictionary<string, int>> SummaryAsync(TenancyServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/summary");
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var response = await server.Client.SendAsync(request, Token);
        var summary = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        var health = summary["health"]!.AsObject().ToDictionary(one => one.Key, one => (int)one.Value!);
        Assert.Equal(health.Values.Sum(), (int)summary["tenants"]!);
        return health;
    }

    [Theory]
    [InlineData("status=enabled", "status", "active or suspended")]
    [InlineData("status=0", "status", "active or suspended")]
    [InlineData("status=Active", "status", "active or suspended")]
    [InlineData("health=fine", "health", "pending or healthy or unverified or disabled or broken")]
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
