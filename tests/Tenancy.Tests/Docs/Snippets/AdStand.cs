using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class AdStand(TimeProvider time)
{
    // Products as AdCP has them; a file or a table may hold such a text for each tenant.
    private static readonly Product[] Products = JsonSerializer.Deserialize<Product[]>(
        File.ReadAllText("ads.json"),
        AdcpJsonOptions.Default
    )!;

    [AdcpTool("get_products")]
    public Task<GetProductsResponse> FindAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var page = Tenancy.Adcp.Page.Of(ProductSearch.Find(request, Products, time.GetUtcNow()), request.Pagination);
        return Task.FromResult(new GetProductsResponse { Products = page.Items, Pagination = page.Next });
    }

    [AdcpTool("list_creative_formats")]
    public Task<ListCreativeFormatsResponse> ListAsync(
        ListCreativeFormatsRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var formats = Products.SelectMany(product => product.FormatIds).Select(id => new CreativeFormat { FormatId = id, Name = id.Id });
        return Task.FromResult(new ListCreativeFormatsResponse { Formats = [.. formats.Where(one => FormatSearch.Fits(one, request))] });
    }

    [AdcpTool("order_ads")]
    public async Task<OrderAdsResponse> OrderAsync(OrderAdsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        // Budgets, bids and currencies by the products' prices. All mistakes are named at once.
        var priced = OrderRules.Price(request.Packages, Products, time.GetUtcNow());
        var order = new AdOrder
        {
            Currency = priced[0].Price.Currency,
            Targeting = [.. request.Packages.Select(package => package.TargetingOverlay?.WithoutSecrets())],
            Notify = request.NotificationConfig(),
        };
        order = await context.Documents<AdOrder>().CreateAsync(order, cancellationToken: cancellationToken);
        return new() { OrderId = order.Id };
    }
}

internal sealed record OrderAdsRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    public required AccountReference Account { get; init; }

    public required string IdempotencyKey { get; init; }

    public required IReadOnlyList<PackageRequest> Packages { get; init; }
}

// The library says in it whether the account was one for tests.
internal sealed record OrderAdsResponse : AdcpResponse, ISandboxResponse
{
    public required string OrderId { get; init; }

    public bool? Sandbox { get; set; }
}

[Document("ad_orders", IdPrefix = "ads_")]
internal sealed record AdOrder : TenantDocument
{
    public required string Currency { get; init; }

    public IReadOnlyList<TargetingOverlay?> Targeting { get; init; } = [];

    public JsonElement? Notify { get; init; }
}

internal sealed class CityLists : IListResolver
{
    public Task<bool?> CoversAsync(
        ListKind kind,
        ListReference list,
        Product product,
        ToolContext context,
        CancellationToken cancellationToken
    ) => Task.FromResult(list.ListId == "whole-city" ? true : (bool?)null);

    public static void Add(ITenancyBuilder tenancy)
    {
        tenancy.AddListResolver<CityLists>();
    }
}

internal sealed class Prepaid : IBudgetAuthority
{
    public Task<AdcpException?> WhyNotAsync(BudgetChange change, ToolContext context, CancellationToken cancellationToken) =>
        Task.FromResult(
            change.After > change.Before ? new AdcpException(AdcpError.BudgetExceeded, "Pay first.", "packages[0].budget") : null
        );

    public static void Add(ITenancyBuilder tenancy)
    {
        tenancy.AddBudgetAuthority<Prepaid>();
    }
}
