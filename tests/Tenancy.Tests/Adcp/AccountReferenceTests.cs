using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>Whose account a request is for, and whether it is one for tests: nothing of a reference is dropped.</summary>
[Tier(Tier.Server)]
public sealed class AccountReferenceTests
{
    private const string Natural = """{"brand":{"domain":"brand.example"},"operator":"agency.example"}""";

    [Theory]
    [InlineData("""{"account_id":"real","sandbox":true}""", "account.sandbox")]
    [InlineData(
        """{"account_id":"real","brand":{"domain":"brand.example"},"operator":"agency.example"}""",
        "account.brand account.operator"
    )]
    [InlineData("""{"account_id":"real","brand":{"domain":"brand.example"}}""", "account.brand")]
    [InlineData("""{"account_id":"real","tier":"gold"}""", "account.tier")]
    [InlineData("""{"brand":{"domain":"brand.example"}}""", "account.operator")]
    [InlineData("""{"operator":"agency.example"}""", "account.brand")]
    [InlineData("{}", "account")]
    public async Task An_account_is_named_by_its_id_alone_or_by_its_brand_and_operator(string account, string fields)
    {
        await using var server = await StartAsync();

        foreach (var tool in new[] { "create_media_buy", "get_media_buys" })
        {
            var answer = await CallAsync(server, tool, account);

            Assert.Equal("INVALID_REQUEST", (string?)answer["adcp_error"]!["code"]);
            Assert.Equal(fields, string.Join(' ', answer["errors"]!.AsArray().Select(error => (string?)error!["field"])));
        }
    }

    [Fact]
    public async Task A_real_account_is_never_taken_for_one_for_tests_and_none_for_tests_for_a_real_one()
    {
        await using var server = await StartAsync();
        var forTests = JsonNode.Parse(Natural)!;
        forTests["sandbox"] = true;

        // The resolver knows one account of this brand, whatever the reference says of tests.
        Assert.Equal("ACCOUNT_NOT_FOUND", await ErrorAsync(server, forTests.ToJsonString()));
        Assert.Null(await ErrorAsync(server, Natural));
        Assert.Equal("ACCOUNT_NOT_FOUND", await ErrorAsync(server, Natural.Replace("brand.", "tested.", StringComparison.Ordinal)));

        // An id says by itself which one it is.
        Assert.True((bool?)(await CallAsync(server, "get_media_buys", """{"account_id":"test"}"""))["sandbox"]);
        Assert.Null((await CallAsync(server, "get_media_buys", """{"account_id":"real"}"""))["sandbox"]);
    }

    private static Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(services: services => services.AddSingleton<IAccountResolver, Careless>());

    private static async Task<string?> ErrorAsync(TenancyServer server, string account) =>
        (string?)(await CallAsync(server, "create_media_buy", account))["adcp_error"]?["code"];

    private static async Task<JsonNode> CallAsync(TenancyServer server, string tool, string account)
    {
        var request = tool == "create_media_buy" ? McpCalls.CreateBuy() : [];
        request["account"] = JsonNode.Parse(account);
        return (await server.CallAsync("acme", McpCalls.Acme, tool, request))["structuredContent"]!;
    }

    // A seller's own: it finds accounts by brand or id, and does not look at whether one for tests is wanted.
    private sealed class Careless : IAccountResolver
    {
        private static readonly Account[] Accounts =
        [
            new()
            {
                AccountId = "real",
                Name = "Real",
                Status = AccountStatus.Active,
                Brand = new() { Domain = "brand.example" },
            },
            new()
            {
                AccountId = "test",
                Name = "Test",
                Status = AccountStatus.Active,
                Brand = new() { Domain = "tested.example" },
                Sandbox = true,
            },
        ];

        public Task<IReadOnlyList<Account>> ResolveAsync(
            AccountReference? reference,
            ToolContext context,
            CancellationToken cancellationToken
        ) =>
            Task.FromResult<IReadOnlyList<Account>>([
                .. Accounts.Where(account =>
                    reference is null || account.AccountId == reference.AccountId || account.Brand!.Domain == reference.Brand?.Domain
                ),
            ]);
    }
}
