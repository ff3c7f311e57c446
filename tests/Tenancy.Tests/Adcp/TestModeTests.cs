using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>In test mode all accounts of a caller have everything in one place, and no caller sees what another has.</summary>
[Tier(Tier.Server)]
public sealed class TestModeTests
{
    private const string Second = "acme.second-buyer";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_accounts_of_a_caller_share_and_callers_do_not(bool hasController)
    {
        await using var server = await StartAsync(isTest: true, hasController);
        await OpenAsync(server, McpCalls.Acme);
        await OpenAsync(server, Second);

        var made = await BuyAsync(server, McpCalls.Acme, "one.example");

        Assert.Equal([made], await ListAsync(server, McpCalls.Acme, "one.example"));
        Assert.Equal([made], await ListAsync(server, McpCalls.Acme, "two.example"));
        Assert.Equal([made], await ListAsync(server, McpCalls.Acme, account: null));
        Assert.Empty(await ListAsync(server, Second, "one.example"));
        Assert.Empty(await ListAsync(server, Second, account: null));
        Assert.Empty(await ListAsync(server, Second, account: null, id: made));

        var other = await BuyAsync(server, Second, "one.example");

        Assert.Equal([other], await ListAsync(server, Second, account: null));
        Assert.Equal([made], await ListAsync(server, McpCalls.Acme, account: null));
    }

    [Fact]
    public async Task A_tool_that_has_the_controllers_name_is_no_test_mode()
    {
        await using var server = await StartAsync(isTest: false, hasController: true);
        await OpenAsync(server, McpCalls.Acme);

        var made = await BuyAsync(server, McpCalls.Acme, "one.example");

        Assert.Equal([made], await ListAsync(server, McpCalls.Acme, "one.example"));
        Assert.Empty(await ListAsync(server, McpCalls.Acme, "two.example"));
    }

    private static Task<TenancyServer> StartAsync(bool isTest, bool hasController)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Adcp:TestMode"] = isTest ? "true" : "false",
            ["Tenancy:Tenants:0:principals:1:name"] = "second buyer",
            ["Tenancy:Tenants:0:principals:1:token"] = Second,
        };
        return TenancyServer.StartAsync(settings: settings, services: services =>
        {
            services.AddSingleton<IAccountResolver, SyncedAccounts>();
            services.AddSingleton(
                new CommonHandlers(platform =>
                {
                    platform.AddHandlers<AccountTools>();
                    if (hasController)
                    {
                        platform.AddHandlers<Controller>();
                    }
                })
            );
        });
    }

    private static Task<JsonNode> OpenAsync(TenancyServer server, string token) =>
        CallAsync(
            server,
            token,
            "sync_accounts",
            new()
            {
                ["accounts"] = new JsonArray([
                    .. new[] { "one.example", "two.example" }.Select(name =>
                    {
                        var account = Account(name);
                        account["billing"] = "operator";
                        return account;
                    }),
                ]),
            },
            isKeyed: true
        );

    private static async Task<string> BuyAsync(TenancyServer server, string token, string account)
    {
        var buy = McpCalls.CreateBuy();
        buy["account"] = Account(account);
        return (string)(await CallAsync(server, token, "create_media_buy", buy))["media_buy_id"]!;
    }

    private static async Task<string[]> ListAsync(TenancyServer server, string token, string? account, string? id = null)
    {
        var request = new JsonObject();
        if (account is not null)
        {
            request["account"] = Account(account);
        }

        if (id is not null)
        {
            request["media_buy_ids"] = new JsonArray(id);
        }

        var answer = await CallAsync(server, token, "get_media_buys", request);
        return [.. answer["media_buys"]!.AsArray().Select(buy => (string)buy!["media_buy_id"]!)];
    }

    private static async Task<JsonNode> CallAsync(
        TenancyServer server,
        string token,
        string tool,
        JsonObject arguments,
        bool isKeyed = false
    )
    {
        if (isKeyed)
        {
            arguments["idempotency_key"] = Guid.NewGuid().ToString("N");
        }

        var answer = await server.CallAsync("acme", token, tool, arguments);
        Assert.False((bool?)answer["isError"] is true, answer.ToJsonString());
        return answer["structuredContent"]!;
    }

    private static JsonObject Account(string name) =>
        new()
        {
            ["brand"] = new JsonObject { ["domain"] = "brand.example" },
            ["operator"] = name,
        };

    public sealed class AccountTools(AccountBook book)
    {
        [AdcpTool("sync_accounts")]
        public Task<SyncAccountsResponse> SyncAsync(
            SyncAccountsRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        ) => book.SyncAsync(request, context, cancellationToken: cancellationToken);
    }

    public sealed class Controller
    {
        [AdcpTool("comply_test_controller")]
        public Task<TestControllerResponse> RunAsync(
            TestControllerRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        ) => Task.FromResult(new TestControllerResponse { Success = true });
    }
}
