using System.Text.Json;
using System.Text.Json.Nodes;
using Adcp_TenantServer.Handlers;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Adcp_TenantServer.Inventory;

/// <summary>Products that a checker adds for itself; no other caller sees them.</summary>
public sealed class TestFixtures
{
    public async Task<TestControllerResponse> AddProductAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.ProductId is not { Length: > 0 } id)
        {
            return TestController.Refuse("INVALID_PARAMS", "product_id is needed.");
        }

        var products = context.CallerDocuments<TestProduct>();
        if (await products.GetAsync(id, cancellationToken) is { } there)
        {
            return IsSame(there.Fixture, wanted.Fixture) ? TestController.Existing(id) : TestController.Diverging(id);
        }

        await products.CreateWithIdAsync(
            id,
            new() { Product = Fill(id, wanted.Fixture, context), Fixture = wanted.Fixture },
            cancellationToken
        );
        return new() { Success = true, Message = $"The product {id} is there." };
    }

    public async Task<TestControllerResponse> AddPriceAsync(TestParameters wanted, ToolContext context, CancellationToken cancellationToken)
    {
        var products = context.CallerDocuments<TestProduct>();
        if (
            wanted is not { ProductId: { } id, PricingOptionId: { } priceId }
            || await products.GetAsync(id, cancellationToken) is not { } found
        )
        {
            return TestController.Refuse("NOT_FOUND", "There is no such product among those that were added.");
        }

        if (found.Prices.TryGetValue(priceId, out var before))
        {
            return IsSame(before, wanted.Fixture) ? TestController.Existing(priceId) : TestController.Diverging(priceId);
        }

        var price = Price(priceId, wanted.Fixture, context);
        var others = found.Product.PricingOptions.Where(other => other.PricingOptionId != priceId && other.PricingOptionId != DefaultPrice);
        var fixtures = found.Prices.Append(new(priceId, wanted.Fixture ?? JsonElement.Parse("null"))).ToDictionary();
        await products.ReplaceAsync(
            found with
            {
                Product = found.Product with { PricingOptions = [.. others, price] },
                Prices = fixtures,
            },
            cancellationToken
        );
        return new() { Success = true, Message = $"The price {priceId} is there." };
    }

    /// <summary>What AdCP's storyboards buy without saying where it comes from.</summary>
    public static Product Standard(ToolContext context) =>
        Fill("test-product", null, context) with
        {
            PricingOptions = [Price("test-pricing", null, context), Price("default", null, context)],
        };

    private static bool IsSame(JsonElement? one, JsonElement? other) =>
        JsonElement.DeepEquals(one ?? JsonElement.Parse("null"), other ?? JsonElement.Parse("null"));

    private const string DefaultPrice = "placeholder";

    private static Product Fill(string id, JsonElement? fixture, ToolContext context)
    {
        var given = fixture is { ValueKind: JsonValueKind.Object } value ? JsonNode.Parse(value.GetRawText())!.AsObject() : [];
        var formats = given["format_ids"]?.AsArray().Select(format => (string?)format!["id"]).OfType<string>() ?? ["display_300x250"];
        return new()
        {
            ProductId = id,
            Name = (string?)given["name"] ?? id,
            Description = (string?)given["description"] ?? "Added by a checker.",
            PublisherProperties = context.Platform<ISeller>().Products[0].PublisherProperties,
            Channels = ["display"],
            FormatIds = [.. formats.Select(format => new FormatId { AgentUrl = SampleFormats.Agent, Id = format })],
            DeliveryType = (string?)given["delivery_type"] == "guaranteed" ? DeliveryType.Guaranteed : DeliveryType.NonGuaranteed,
            PricingOptions = [Price(DefaultPrice, null, context)],
            ReportingCapabilities = new(),
        };
    }

    private static PricingOption Price(string id, JsonElement? fixture, ToolContext context)
    {
        var given = fixture is { ValueKind: JsonValueKind.Object } value ? JsonNode.Parse(value.GetRawText())!.AsObject() : [];
        return new()
        {
            PricingOptionId = id,
            PricingModel = (string?)given["pricing_model"] ?? "cpm",
            MinSpendPerPackage = (decimal?)given["min_spend_per_package"],
            Currency = (string?)given["currency"] ?? context.Platform<ISeller>().Products[0].PricingOptions[0].Currency,
            FixedPrice = (decimal?)given["fixed_price"] ?? (given["floor_price"] is null ? 5 : null),
            FloorPrice = (decimal?)given["floor_price"],
        };
    }
}

/// <summary>A product that a checker added for itself.</summary>
[Document("test_products")]
public sealed record TestProduct : TenantDocument
{
    public required Product Product { get; init; }

    /// <summary>What the checker said of it.</summary>
    public JsonElement? Fixture { get; init; }

    /// <summary>What the checker said of its prices, by their ids.</summary>
    public IReadOnlyDictionary<string, JsonElement> Prices { get; init; } = new Dictionary<string, JsonElement>();
}

/// <summary>
/// The lists that AdCP's checker names, in test mode. Yours would ask the agent at the list's URL, and remember what it says.
/// </summary>
public sealed class TestLists : IListResolver
{
    private const string Agent = "https://governance.pinnacle-agency.example";

    // Whether something of this seller is on the list.
    private static readonly Dictionary<(ListKind, string), bool> Lists = new()
    {
        [(ListKind.Properties, "acme_outdoor_allowlist_v1")] = true,
        [(ListKind.Properties, "acme_outdoor_no_match_v1")] = false,
        [(ListKind.Collections, "acme_outdoor_collections_v1")] = true,
        [(ListKind.Collections, "acme_outdoor_no_match_collections_v1")] = false,
    };

    public Task<bool?> CoversAsync(
        ListKind kind,
        ListReference list,
        Product product,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        Task.FromResult(
            list.AgentUrl.TrimEnd('/') == Agent && Lists.TryGetValue((kind, list.ListId), out var covers) ? covers : (bool?)null
        );
}
