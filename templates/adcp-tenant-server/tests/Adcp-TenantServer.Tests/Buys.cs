using System.Text.Json;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Tests;

/// <summary>Media buys for tests, as JSON for the server and as a request for a handler.</summary>
internal static class Buys
{
    public static object Accounts() => JsonSerializer.SerializeToNode(Account("operator"), AdcpJsonOptions.Default)!;

    public static SyncAccountsRequest Account(string billing, params string[] operators) =>
        new()
        {
            IdempotencyKey = Guid.NewGuid().ToString(),
            Accounts =
            [
                .. operators
                    .DefaultIfEmpty("agency.example")
                    .Select(name => new AccountSync
                    {
                        Brand = new() { Domain = "brand.example" },
                        Operator = name,
                        Billing = billing,
                    }),
            ],
        };

    public static object OfAcme(string @operator = "agency.example") => Order(@operator, "homepage_display", "cpm_usd", 5000);

    public static object OfGlobex(string @operator) => Order(@operator, "sponsored_products", "cpc_usd", 100);

    private static object Order(string @operator, string product, string price, decimal budget) =>
        new
        {
            idempotency_key = Guid.NewGuid().ToString(),
            account = new { brand = new { domain = "brand.example" }, @operator },
            brand = new { domain = "brand.example" },
            start_time = "asap",
            end_time = "2099-12-31T00:00:00Z",
            packages = new[]
            {
                new
                {
                    product_id = product,
                    pricing_option_id = price,
                    budget,
                },
            },
        };

    public static CreateMediaBuyRequest Request(string product = "homepage_display", string price = "cpm_usd", decimal budget = 5000) =>
        new()
        {
            IdempotencyKey = Guid.NewGuid().ToString(),
            Account = new() { AccountId = "tester" },
            Brand = new() { Domain = "brand.example" },
            StartTime = "asap",
            EndTime = new DateTimeOffset(2099, 12, 31, 0, 0, 0, TimeSpan.Zero),
            Packages =
            [
                new()
                {
                    ProductId = product,
                    PricingOptionId = price,
                    Budget = budget,
                },
            ],
        };

    public static UpdateMediaBuyRequest Change(string id) =>
        new()
        {
            IdempotencyKey = Guid.NewGuid().ToString(),
            Account = new() { AccountId = "tester" },
            MediaBuyId = id,
        };

    public static SyncCreativesRequest Creative(string? id = null, string format = "display_300x250") =>
        new()
        {
            IdempotencyKey = Guid.NewGuid().ToString(),
            Account = new() { AccountId = "tester" },
            Creatives =
            [
                new()
                {
                    CreativeId = id ?? Guid.NewGuid().ToString(),
                    Name = "Banner",
                    FormatId = new() { AgentUrl = "https://creative.adcontextprotocol.org", Id = format },
                    Assets = new Dictionary<string, JsonElement>(),
                },
            ],
        };
}
