using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Testing;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>What stands around every handler: checks, versions, accounts.</summary>
[Tier(Tier.Process)]
public sealed class EnvelopeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("packages", "packages", "[]", "INVALID_REQUEST")]
    [InlineData("packages[0].budget", "packages", """[{"product_id":"p","pricing_option_id":"cpm","budget":-1}]""", "INVALID_REQUEST")]
    [InlineData(
        "packages[1].product_id",
        "packages",
        """[{"product_id":"p","pricing_option_id":"cpm","budget":1},{"pricing_option_id":"cpm","budget":1}]""",
        "INVALID_REQUEST"
    )]
    [InlineData("packages[0].budget", "packages", """[{"product_id":"p","pricing_option_id":"cpm","budget":"much"}]""", "INVALID_REQUEST")]
    [InlineData("brand.domain", "brand", """{"domain":"not a domain"}""", "INVALID_REQUEST")]
    [InlineData("account.brand", "account", """{"operator":"agency.example"}""", "INVALID_REQUEST")]
    [InlineData("adcp_major_version", "adcp_major_version", "99", "VERSION_UNSUPPORTED")]
    public async Task A_malformed_request_is_refused_with_the_place_of_the_mistake(string place, string field, string value, string code)
    {
        await using var server = await TenancyServer.StartAsync();
        var request = McpCalls.CreateBuy();
        request[field] = JsonNode.Parse(value);
        var error = await ErrorAsync(server, "create_media_buy", request);
        Assert.Equal(code, (string?)error["code"]);
        Assert.Equal(place, (string?)error["field"]);
    }

    [Theory]
    [InlineData(100, null)]
    [InlineData(101, "packages: packages must have 100 at most.")]
    public async Task A_media_buy_has_100_packages_at_most_and_the_tools_schema_says_so(int packages, string? mistake)
    {
        await using var server = await TenancyServer.StartAsync();
        var buy = McpCalls.CreateBuy();
        var package = buy["packages"]![0]!;
        buy["packages"] = new JsonArray([.. Enumerable.Range(0, packages).Select(_ => package.DeepClone())]);
        var answer = await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", buy);
        Assert.Equal(mistake, answer["structuredContent"]!["adcp_error"] is { } error ? $"{error["field"]}: {error["message"]}" : null);

        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("tools/list"));
        using var response = await server.Client.SendAsync(request, Token);
        var tools = (await McpCalls.ReadAsync(response))["result"]!["tools"]!.AsArray();
        var tool = tools.Single(tool => (string?)tool!["name"] == "create_media_buy")!;
        Assert.Equal(100, (int)tool["inputSchema"]!["properties"]!["packages"]!["maxItems"]!);
    }

    [Theory]
    [InlineData(100, null)]
    [InlineData(1001, "media_buy_ids: media_buy_ids must have 1000 at most.")]
    public async Task A_request_names_1000_media_buys_at_most(int ids, string? mistake)
    {
        await using var server = await TenancyServer.StartAsync();
        var answer = await server.CallAsync(
            "acme",
            McpCalls.Acme,
            "get_media_buys",
            new() { ["media_buy_ids"] = new JsonArray([.. Enumerable.Range(0, ids).Select(id => (JsonNode)$"mb_{id}")]) }
        );
        Assert.Equal(mistake is not null, (bool?)answer["isError"] is true);
        Assert.Equal(mistake, answer["structuredContent"]!["adcp_error"] is { } error ? $"{error["field"]}: {error["message"]}" : null);
    }

    [Fact]
    public async Task Requests_that_are_not_checked_reach_the_handler()
    {
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Adcp:Requests"] = "warn" }
        );
        var request = McpCalls.CreateBuy(-1);
        Assert.False((bool?)(await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", request))["isError"]);
    }

    [Fact]
    public async Task Every_tool_takes_the_envelope_and_the_log_says_once_that_no_webhook_is_sent()
    {
        var log = new LogRecorder();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ILoggerProvider>(log));
        foreach (var tool in new[] { "get_adcp_capabilities", "get_products", "get_media_buys", "create_media_buy" })
        {
            var arguments = tool == "create_media_buy" ? McpCalls.CreateBuy() : new() { ["idempotency_key"] = "0123456789abcdef" };
            arguments["context"] = new JsonObject { ["trace"] = tool };
            arguments["context_id"] = "conversation";
            arguments["governance_context"] = "token";
            arguments["push_notification_config"] = new JsonObject { ["url"] = "https://buyer.example/hook" };
            arguments["ext"] = new JsonObject { ["vendor"] = new JsonObject() };
            var answer = await server.CallAsync("acme", McpCalls.Acme, tool, arguments);
            Assert.False((bool)answer["isError"]!, answer.ToJsonString());
            Assert.Equal(tool, (string?)answer["structuredContent"]!["context"]!["trace"]);
            Assert.Equal(tool == "create_media_buy" ? "active" : "completed", (string?)answer["structuredContent"]!["status"]);
        }

        Assert.Single(log.Entries, entry => entry.Event == "NoWebhooks");
    }

    [Fact]
    public async Task The_capabilities_say_what_is_true_of_the_platform()
    {
        await using var server = await TenancyServer.StartAsync();
        var answer = (await server.CallAsync("acme", McpCalls.Acme, "get_adcp_capabilities"))["structuredContent"]!;
        Assert.Equal(
            """{"supported":true,"replay_ttl_seconds":3600,"account_id_is_opaque":true}""",
            answer["adcp"]!["idempotency"]!.ToJsonString()
        );
        Assert.Equal("[3]", answer["adcp"]!["major_versions"]!.ToJsonString());
        Assert.Equal("completed", (string?)answer["status"]);
        Assert.Null(answer["compliance_testing"]);
    }

    [Fact]
    public async Task An_account_that_is_not_there_and_one_of_somebody_else_get_the_same_answer()
    {
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<IAccountResolver, Ledger>());
        Assert.Equal("ACCOUNT_NOT_FOUND", await BuyForAsync(server, "unknown"));
        Assert.Equal("ACCOUNT_SUSPENDED", await BuyForAsync(server, "suspended"));
        Assert.Equal("ACCOUNT_AMBIGUOUS", await BuyForAsync(server, "twice"));
        Assert.Null(await BuyForAsync(server, "active"));
    }

    [Fact]
    public async Task A_caller_finds_the_accounts_that_it_opened_and_no_others()
    {
        await using var server = await TenancyServer.StartAsync();
        var resolver = new SyncedAccounts();
        using var one = TestToolContext.Begin(server.Services, "acme", "one");
        using var two = TestToolContext.Begin(server.Services, "acme", "two");
        var brand = new BrandReference { Domain = "brand.example" };
        var request = new SyncAccountsRequest
        {
            IdempotencyKey = "a-key-of-this-test",
            Accounts =
            [
                new()
                {
                    Brand = brand,
                    Operator = "agency.example",
                    Billing = "operator",
                },
            ],
        };
        var opened = await new AccountBook(resolver).SyncAsync(request, one.Context, cancellationToken: Token);
        await one.CommitAsync(Token);
        var id = Assert.Single(opened.Accounts).AccountId;
        var reference = new AccountReference { Brand = brand, Operator = "agency.example" };

        Assert.Equal(id, Assert.Single(await resolver.ResolveAsync(reference, one.Context, Token)).AccountId);
        Assert.Equal(id, Assert.Single(await resolver.ResolveAsync(null, one.Context, Token)).AccountId);
        Assert.Empty(await resolver.ResolveAsync(reference, two.Context, Token));
        Assert.Empty(await resolver.ResolveAsync(new() { AccountId = id }, two.Context, Token));
        Assert.Empty(await resolver.ResolveAsync(reference with { Sandbox = true }, one.Context, Token));
    }

    [Fact]
    public async Task A_caller_with_more_accounts_than_it_may_have_has_to_name_one()
    {
        await using var server = await TenancyServer.StartAsync();
        var resolver = new SyncedAccounts();
        using var call = TestToolContext.Begin(server.Services, "acme", "many");
        for (var from = 1; from < AccountDocument.MaxPerCaller; from += 100)
        {
            await OpenAsync(from, 100);
        }

        Assert.Equal(AccountDocument.MaxPerCaller, (await resolver.ResolveAsync(null, call.Context, Token)).Count);

        await OpenAsync(AccountDocument.MaxPerCaller + 1, 1);
        var refusal = await Assert.ThrowsAsync<AdcpException>(() => resolver.ResolveAsync(null, call.Context, Token));
        Assert.Equal((AdcpError.AccountAmbiguous, "account"), (refusal.Error, refusal.Field));
        Assert.Equal("1", Assert.Single(await resolver.ResolveAsync(new() { AccountId = "1" }, call.Context, Token)).AccountId);

        async Task OpenAsync(int from, int count)
        {
            await Task.WhenAll(
                Enumerable
                    .Range(from, count)
                    .Select(number =>
                        call.Context.CallerDocuments<AccountDocument>()
                            .CreateWithIdAsync(
                                $"{number}",
                                new()
                                {
                                    Account = new()
                                    {
                                        AccountId = $"{number}",
                                        Name = "x",
                                        Status = AccountStatus.Active,
                                    },
                                },
                                Token
                            )
                    )
            );
            await call.CommitAsync(Token);
        }
    }

    [Fact]
    public async Task A_call_that_names_no_account_reads_all_of_the_callers_and_writes_none()
    {
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<IAccountResolver, Ledger>());
        Assert.Null(await BuyForAsync(server, "active"));
        Assert.Null(await BuyForAsync(server, "other"));

        var all = await server.CallAsync("acme", McpCalls.Acme, "get_media_buys");
        var ofOne = await server.CallAsync(
            "acme",
            McpCalls.Acme,
            "get_media_buys",
            new() { ["account"] = new JsonObject { ["account_id"] = "other" } }
        );

        Assert.Equal(2, all["structuredContent"]!["media_buys"]!.AsArray().Count);
        Assert.Single(ofOne["structuredContent"]!["media_buys"]!.AsArray());
        using var scope = TestToolContext.Begin(server.Services, "acme", principalId: null);
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            scope.Context.Documents<TestBuy>().CreateAsync(new() { Seller = "x", Budget = 1 }, cancellationToken: Token)
        );
    }

    [Theory]
    [InlineData("7e28")]
    [InlineData("1000000000000001")]
    [InlineData("-1")]
    public async Task An_amount_whose_sum_could_not_be_told_later_is_not_taken(string budget)
    {
        await using var server = await TenancyServer.StartAsync();
        var request = McpCalls.CreateBuy();
        var package = request["packages"]![0]!;
        package["budget"] = JsonNode.Parse(budget);
        request["packages"]!.AsArray().Add(package.DeepClone());
        var error = await ErrorAsync(server, "create_media_buy", request.DeepClone().AsObject());
        Assert.Equal(("INVALID_REQUEST", "packages[0].budget"), (error["code"]!.ToString(), error["field"]!.ToString()));
        package["budget"] = 1_000_000_000_000_000;
        request["packages"]![1]!["budget"] = 1_000_000_000_000_000;
        Assert.Null((await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", request))["structuredContent"]!["adcp_error"]);
    }

    [Fact]
    public async Task Pages_of_several_accounts_follow_each_other_without_gap()
    {
        await using var server = await TenancyServer.StartAsync();
        var (redis, tenant) = (server.Services.GetRequiredService<RedisConnection>(), global::Tenancy.Configuration.TenantId.Parse("acme"));
        var generation = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!.Generation;
        string[] accounts = ["a", "b", "c"];
        foreach (var (number, account) in accounts.SelectMany(account => new[] { 1, 2, 3 }, (account, number) => (number, account)))
        {
            await new CommittedDocuments<TestBuy>(redis, tenant, account, $"{account}{number}", generation: generation).CreateAsync(
                new() { Seller = account, Budget = number }
            );
        }

        var documents = new Documents<TestBuy>(
            new(
                redis,
                tenant,
                null,
                "read",
                new UnitOfWork(DocumentBudget.OfTenant(0)),
                () => { },
                new(_ => Task.FromResult<IReadOnlyList<string>>(accounts))
            )
        );
        List<string> seen = [];
        string? cursor = null;
        do
        {
            var page = await documents.ListAsync(cursor, limit: 2, Token);
            seen.AddRange(page.Items.Select(buy => $"{buy.Seller}{buy.Budget}"));
            cursor = page.NextCursor;
        } while (cursor is not null);

        // The accounts come in the order of their hashes, whoever finds them in which order.
        var expected = accounts
            .OrderBy(DocumentSpace.OfAccount, StringComparer.Ordinal)
            .SelectMany(account => new[] { 1, 2, 3 }, (a, n) => a + n);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task A_caller_without_credentials_filters_by_no_prices()
    {
        await using var server = await TenancyServer.StartAsync();

        var stranger = await ProductsAsync(null, "budget_range", new JsonObject { ["currency"] = "USD", ["max"] = 100 });
        var buyer = await ProductsAsync(McpCalls.Acme, "budget_range", new JsonObject { ["currency"] = "USD", ["max"] = 100 });
        var free = await ProductsAsync(null, "channels", new JsonArray("display"));

        Assert.Equal(("AUTH_REQUIRED", "filters.budget_range"), ((string?)stranger?["code"], (string?)stranger?["field"]));
        Assert.Null(buyer);
        Assert.Null(free);

        async Task<JsonNode?> ProductsAsync(string? token, string filter, JsonNode value)
        {
            var request = new JsonObject { ["filters"] = new JsonObject { [filter] = value } };
            return (await server.CallAsync("acme", token, "get_products", request))["structuredContent"]!["adcp_error"];
        }
    }

    [Fact]
    public async Task What_was_answered_is_answered_again_also_where_the_seller_supports_it_no_more()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (node, services) =>
            {
                if (node == 0)
                {
                    services.AddSingleton<AllLists>();
                    services.AddSingleton(new AddedListResolver(typeof(AllLists), IsForTests: false));
                }
            }
        );
        var buy = McpCalls.CreateBuy();
        buy["packages"]![0]!["targeting_overlay"] = new JsonObject
        {
            ["property_list"] = new JsonObject { ["agent_url"] = "https://lists.example", ["list_id"] = "list" },
        };
        var made = await nodes[0].CallAsync("acme", McpCalls.Acme, "create_media_buy", buy.DeepClone().AsObject());

        var again = await nodes[1].CallAsync("acme", McpCalls.Acme, "create_media_buy", buy.DeepClone().AsObject());
        buy["idempotency_key"] = Guid.NewGuid().ToString("N");
        var another = await ErrorAsync(nodes[1], "create_media_buy", buy);

        Assert.Null(made["structuredContent"]!["adcp_error"]);
        Assert.True((bool?)again["structuredContent"]!["replayed"], again.ToJsonString());
        Assert.Equal(
            ("UNSUPPORTED_FEATURE", "packages[0].targeting_overlay.property_list"),
            ((string?)another["code"], (string?)another["field"])
        );
    }

    private sealed class AllLists : IListResolver
    {
        public Task<bool?> CoversAsync(
            ListKind kind,
            ListReference list,
            Product product,
            ToolContext context,
            CancellationToken cancellationToken
        ) => Task.FromResult<bool?>(true);
    }

    private static async Task<string?> BuyForAsync(TenancyServer server, string account)
    {
        var request = McpCalls.CreateBuy();
        request["account"] = new JsonObject { ["account_id"] = account };
        var result = await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", request);
        return (string?)result["structuredContent"]!["adcp_error"]?["code"];
    }

    private static async Task<JsonNode> ErrorAsync(TenancyServer server, string tool, JsonObject request)
    {
        var result = await server.CallAsync("acme", McpCalls.Acme, tool, request);
        Assert.True((bool)result["isError"]!, result.ToJsonString());
        return result["structuredContent"]!["adcp_error"]!;
    }

    private sealed class Ledger : IAccountResolver
    {
        private static readonly Account[] Accounts =
        [
            new()
            {
                AccountId = "active",
                Name = "a",
                Status = AccountStatus.Active,
            },
            new()
            {
                AccountId = "other",
                Name = "b",
                Status = AccountStatus.Active,
            },
            new()
            {
                AccountId = "suspended",
                Name = "c",
                Status = AccountStatus.Suspended,
            },
        ];

        public Task<IReadOnlyList<Account>> ResolveAsync(
            AccountReference? reference,
            ToolContext context,
            CancellationToken cancellationToken
        ) =>
            Task.FromResult<IReadOnlyList<Account>>(
                reference?.AccountId is "twice"
                    ? Accounts[..2]
                    : [.. Accounts.Where(account => reference is null || account.AccountId == reference.AccountId)]
            );
    }
}
