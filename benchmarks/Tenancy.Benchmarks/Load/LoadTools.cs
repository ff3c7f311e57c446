using System.ComponentModel;
using System.Text.Json.Serialization;
using Adcp_TenantServer;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Benchmarks.Load;

/// <summary>The tool of most cells, the bare server's as well.</summary>
internal sealed class QuoteTools
{
    public const string Name = "quote";
    public const int Price = 7;

    [McpServerTool(Name = Name, UseStructuredContent = true), Description("Says what a number of pieces costs.")]
    public static Quote Of([Description("The product.")] string product, [Description("How many pieces.")] int quantity) =>
        new(product, quantity, quantity * Price);
}

internal sealed record Quote(string Product, int Quantity, int Total);

/// <summary>
/// The scaffold's <c>get_products</c>, as somebody without this library would write it: the same records, and JSON by generated code.
/// </summary>
internal sealed class ProductTools
{
    public const string Name = "get_products";

    /// <summary>Stands in the structured form of the right answer only, near its end.</summary>
    public const string Last = "\"product_id\":\"run_of_site_display\"";

    private static readonly IReadOnlyList<Product> All = new Publisher(new()).Products;

    [McpServerTool(Name = Name, UseStructuredContent = true), Description("Lists what this seller offers.")]
    public static ProductsAnswer Of(string buying_mode, string? brief = null, BrandReference? brand = null) =>
        new(All, new() { HasMore = false, TotalCount = All.Count }, "completed");
}

internal sealed record ProductsAnswer(IReadOnlyList<Product> Products, PaginationResponse Pagination, string Status);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(GetProductsRequest))]
[JsonSerializable(typeof(ProductsAnswer))]
[JsonSerializable(typeof(string))]
internal sealed partial class ProductsJson : JsonSerializerContext;

/// <summary>What a media buy leaves: one document of some hundred bytes.</summary>
[Document("bought", IdPrefix = "mb_")]
internal sealed record Bought : TenantDocument
{
    public required string BuyerRef { get; init; }

    public required DateTimeOffset At { get; init; }

    public IReadOnlyList<string> Packages { get; init; } = ["package_1", "package_2"];
}

/// <summary>A write of one document, beside its idempotency record.</summary>
internal sealed class BuyTools
{
    public const string Name = "create_media_buy";

    [AdcpTool(Name)]
    public async Task<CreateMediaBuyResponse> CreateAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var bought = new Bought { BuyerRef = context.Caller.Value, At = DateTimeOffset.UtcNow };
        bought = await context.Documents<Bought>().CreateAsync(bought, cancellationToken: cancellationToken);
        return new()
        {
            MediaBuyId = bought.Id,
            Status = MediaBuyStatus.Active,
            Packages = [],
        };
    }
}

/// <summary>Every account that a request names is the caller's.</summary>
internal sealed class AnyAccount : IAccountResolver
{
    public Task<IReadOnlyList<Account>> ResolveAsync(
        AccountReference? reference,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        Task.FromResult<IReadOnlyList<Account>>(
            reference is { AccountId: { } id }
                ?
                [
                    new()
                    {
                        AccountId = id,
                        Name = id,
                        Status = AccountStatus.Active,
                    },
                ]
                : []
        );
}

internal sealed class QuotePlatform : ITenantPlatform<QuotePlatform>
{
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<QuoteTools>();

    public static Task<QuotePlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new QuotePlatform());
}

internal sealed class BuyPlatform : ITenantPlatform<BuyPlatform>
{
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<BuyTools>();

    public static Task<BuyPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new BuyPlatform());
}
