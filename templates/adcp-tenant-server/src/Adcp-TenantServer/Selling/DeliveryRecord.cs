using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>What a media buy has delivered. It belongs to the media buy, and lies in its account. Your ad server would write it.</summary>
[Document("deliveries")]
public sealed record DeliveryRecord : TenantDocument
{
    public decimal Impressions { get; init; }

    public decimal Clicks { get; init; }

    public decimal Spend { get; init; }

    public static MediaBuyDelivery Report(MediaBuy buy, DeliveryRecord? record, IReadOnlyList<Product> products)
    {
        var delivered = record ?? new();
        var budget = buy.Packages.Sum(package => package.Budget);
        return new()
        {
            MediaBuyId = buy.Id,
            Status = buy.Status,
            Totals = new()
            {
                Impressions = delivered.Impressions,
                Clicks = delivered.Clicks,
                Spend = delivered.Spend,
            },
            ByPackage = [.. buy.Packages.Select(package => Share(package, delivered, package.Budget / budget, buy.Currency, products))],
        };
    }

    // The sample knows the sum only: each package has its share of the budget.
    private static PackageDelivery Share(
        Package package,
        DeliveryRecord all,
        decimal share,
        string currency,
        IReadOnlyList<Product> products
    )
    {
        var price = products
            .FirstOrDefault(product => product.ProductId == package.ProductId)
            ?.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId);
        return new()
        {
            PackageId = package.PackageId,
            Impressions = Math.Floor(all.Impressions * share),
            Clicks = Math.Floor(all.Clicks * share),
            Spend = Math.Round(all.Spend * share, 2),
            PricingModel = price?.PricingModel ?? "cpm",
            Rate = package.BidPrice ?? price?.FixedPrice ?? price?.FloorPrice ?? 0,
            Currency = currency,
        };
    }
}
