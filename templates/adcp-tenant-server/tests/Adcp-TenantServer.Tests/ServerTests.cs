using System.Text.Json;
using System.Text.Json.Nodes;

namespace Adcp_TenantServer.Tests;

/// <summary>The server as a buyer meets it.</summary>
public sealed class ServerTests(SellerServer server)
{
    [Fact]
    public async Task Each_tenant_offers_its_own_products_by_every_way_to_name_it()
    {
        foreach (var way in server.Ways)
        {
            var acme = await server.CallAsync("acme", "get_products", new { brief = "News readers" }, way);
            var globex = await server.CallAsync("globex", "get_products", new { brief = "Shoppers" }, way);

            Assert.Equal("homepage_display", (string?)acme["products"]![0]!["product_id"]);
            Assert.Equal("sponsored_products", (string?)globex["products"]![0]!["product_id"]);
        }
    }

    [Fact]
    public async Task A_tenant_has_the_tools_of_its_platform()
    {
        var globex = await server.CallAsync("globex", "list_shelves", new { limit = 1 });
        using var acme = await server.SendAsync("acme", "acme.dev-buyer", "list_shelves", new { });
        var answer = await acme.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("search", (string?)Assert.Single(globex["shelves"]!.AsArray()));
        Assert.Contains("Unknown tool", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_buyer_finds_the_media_buy_it_made()
    {
        await server.OpenAccountAsync("acme");
        var made = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme());
        var found = await server.CallAsync("acme", "get_media_buys", new { media_buy_ids = new[] { (string?)made["media_buy_id"] } });

        var buy = Assert.Single(found["media_buys"]!.AsArray())!;
        Assert.Equal((string?)made["media_buy_id"], (string?)buy["media_buy_id"]);
        Assert.Equal(5000, (decimal?)buy["total_budget"]);
    }

    [Fact]
    public async Task An_account_is_opened_by_the_first_purchase_and_not_by_a_read()
    {
        var account = new { brand = new { domain = "brand.example" }, @operator = "first-use.example" };
        var empty = await server.CallAsync("globex", "get_media_buys", new { account });
        var before = await server.CallAsync("globex", "list_accounts", new { });
        var buy = Buys.OfGlobex("first-use.example");
        var made = await server.CallAsync("globex", "create_media_buy", buy);
        var after = await server.CallAsync("globex", "list_accounts", new { });
        var found = await server.CallAsync("globex", "get_media_buys", new { account, status_filter = "pending_creatives" });

        Assert.Empty(empty["media_buys"]!.AsArray());
        Assert.DoesNotContain(before["accounts"]!.AsArray(), IsIt);
        Assert.StartsWith("acc_", (string?)Assert.Single(after["accounts"]!.AsArray(), IsIt)!["account_id"], StringComparison.Ordinal);
        Assert.Equal((string?)made["media_buy_id"], (string?)Assert.Single(found["media_buys"]!.AsArray())!["media_buy_id"]);

        static bool IsIt(JsonNode? account) => (string?)account!["operator"] == "first-use.example";
    }

    [Theory]
    [InlineData("product_id", "\"none\"", "PRODUCT_NOT_FOUND")]
    [InlineData("pacing", "\"even\"", "UNSUPPORTED_FEATURE")]
    [InlineData("budget", "\"much\"", "INVALID_REQUEST")]
    public async Task A_purchase_that_is_refused_opens_no_account(string field, string value, string code)
    {
        var name = $"refused-{field.Replace('_', '-')}.example";
        var buy = JsonSerializer.SerializeToNode(Buys.OfGlobex(name))!.AsObject();
        buy["packages"]![0]![field] = JsonNode.Parse(value);
        using var refused = await server.SendAsync("globex", "globex.dev-buyer", "create_media_buy", buy);
        Assert.Contains(code, await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.False(await IsThereAsync());

        // The same key is free again, and what it buys then is answered again.
        var right = JsonSerializer.SerializeToNode(Buys.OfGlobex(name))!.AsObject();
        right["idempotency_key"] = buy["idempotency_key"]!.DeepClone();
        var made = await server.CallAsync("globex", "create_media_buy", right);
        var again = await server.CallAsync("globex", "create_media_buy", right);

        Assert.True(await IsThereAsync());
        Assert.Equal((string?)made["media_buy_id"], (string?)again["media_buy_id"]);
        Assert.True((bool?)again["replayed"]);

        async Task<bool> IsThereAsync()
        {
            var accounts = (await server.CallAsync("globex", "list_accounts", new { }))["accounts"]!.AsArray();
            return accounts.Any(account => (string?)account!["operator"] == name);
        }
    }

    [Fact]
    public async Task Purchases_that_come_at_once_open_one_account_and_a_key_that_comes_twice_buys_once()
    {
        var buys = Enumerable.Range(0, 4).Select(_ => JsonSerializer.SerializeToNode(Buys.OfGlobex("at-once.example"))!).ToArray();

        await Task.WhenAll(buys.Concat(buys).Select(buy => server.SendAsync("globex", "globex.dev-buyer", "create_media_buy", buy)));
        var made = await Task.WhenAll(buys.Select(buy => server.CallAsync("globex", "create_media_buy", buy)));
        var accounts = (await server.CallAsync("globex", "list_accounts", new { }))["accounts"]!.AsArray();
        var account = Assert.Single(accounts, one => (string?)one!["operator"] == "at-once.example");
        var found = await server.CallAsync(
            "globex",
            "get_media_buys",
            new { account = new { account_id = (string?)account!["account_id"] }, status_filter = "pending_creatives" }
        );

        Assert.Equal(4, made.Select(buy => (string?)buy["media_buy_id"]).Distinct().Count());
        Assert.Equal(4, found["media_buys"]!.AsArray().Count);
    }

    [Fact]
    public async Task First_purchases_for_several_clients_at_once_open_an_account_each()
    {
        var buys = Enumerable.Range(0, 5).Select(number => Buys.OfGlobex($"client-{number}.example"));

        var made = await Task.WhenAll(buys.Select(buy => server.CallAsync("globex", "create_media_buy", buy)));

        Assert.Equal(5, made.Select(buy => (string?)buy["media_buy_id"]).Distinct().Count());
    }

    [Fact]
    public async Task Feedback_on_what_was_bought_for_tests_says_so()
    {
        var buy = JsonSerializer.SerializeToNode(Buys.OfAcme("feedback.example"))!.AsObject();
        buy["account"]!["sandbox"] = true;
        var made = await server.CallAsync("acme", "create_media_buy", buy);
        var real = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme("real-feedback.example"));

        Assert.True((bool?)(await server.CallAsync("acme", "provide_performance_feedback", Feedback(made)))["sandbox"]);
        Assert.Null((await server.CallAsync("acme", "provide_performance_feedback", Feedback(real)))["sandbox"]);

        static object Feedback(JsonNode made) =>
            new
            {
                idempotency_key = Guid.NewGuid().ToString(),
                media_buy_id = (string?)made["media_buy_id"],
                measurement_period = new { start = "2026-01-01T00:00:00Z", end = "2026-01-02T00:00:00Z" },
                performance_index = 1.5,
            };
    }

    [Fact]
    public async Task Creatives_are_listed_of_the_accounts_that_a_filter_names_and_of_no_other()
    {
        foreach (var name in new[] { "one.example", "two.example" })
        {
            var sync = JsonSerializer.SerializeToNode(Buys.Creative($"of-{name[..3]}"), Tenancy.Adcp.AdcpJsonOptions.Default)!.AsObject();
            sync["account"] = Account(name);
            await server.CallAsync("acme", "sync_creatives", sync);
        }

        var all = (await server.CallAsync("acme", "list_accounts", new { }))["accounts"]!.AsArray();
        var id = (string?)all.Single(account => (string?)account!["operator"] == "two.example")!["account_id"];

        Assert.Equal("of-one", await ListAsync("acme", account: null, Account("one.example")));
        Assert.Equal("of-two", await ListAsync("acme", account: null, new JsonObject { ["account_id"] = id }, Account("nobody.example")));
        Assert.Equal("of-one of-two", await ListAsync("acme", account: null, Account("one.example"), Account("two.example")));
        Assert.Equal("", await ListAsync("acme", Account("one.example"), Account("two.example")));
        Assert.Equal("of-one", await ListAsync("acme", Account("one.example"), Account("two.example"), Account("one.example")));
        Assert.Equal("", await ListAsync("globex", account: null, new JsonObject { ["account_id"] = id }));

        static JsonObject Account(string name) =>
            new()
            {
                ["brand"] = new JsonObject { ["domain"] = "brand.example" },
                ["operator"] = name,
            };

        async Task<string> ListAsync(string tenant, JsonObject? account, params JsonNode[] accounts)
        {
            var request = new JsonObject { ["filters"] = new JsonObject { ["accounts"] = new JsonArray(accounts) } };
            if (account is not null)
            {
                request["account"] = account;
            }

            var answer = await server.CallAsync(tenant, "list_creatives", request);
            return string.Join(' ', answer["creatives"]!.AsArray().Select(one => (string?)one!["creative_id"]).Order());
        }
    }

    [Fact]
    public async Task An_account_that_a_buyer_names_by_its_id_is_one_that_it_has()
    {
        var buy = JsonSerializer.SerializeToNode(Buys.OfAcme())!.AsObject();
        buy["account"] = new JsonObject { ["account_id"] = "acc_of_somebody_else" };
        using var response = await server.SendAsync("acme", "acme.dev-buyer", "create_media_buy", buy);

        Assert.Contains(
            "ACCOUNT_NOT_FOUND",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("get_media_buys", "media_buys")]
    [InlineData("get_media_buy_delivery", "media_buy_deliveries")]
    public async Task A_media_buy_that_is_named_twice_is_answered_once_and_too_many_are_refused(string tool, string answers)
    {
        await server.OpenAccountAsync("acme");
        var made = (string?)(await server.CallAsync("acme", "create_media_buy", Buys.OfAcme()))["media_buy_id"];

        var found = await server.CallAsync("acme", tool, new { media_buy_ids = Enumerable.Repeat(made, 100) });
        using var refused = await server.SendAsync("acme", "acme.dev-buyer", tool, new { media_buy_ids = Enumerable.Repeat(made, 1001) });

        Assert.Equal(made, (string?)Assert.Single(found[answers]!.AsArray())!["media_buy_id"]);
        Assert.Contains(
            "media_buy_ids must have 1000 at most",
            await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }
}
