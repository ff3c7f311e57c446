using System.Globalization;
using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>What a media buy has delivered. It belongs to the media buy, and lies in its account. Your ad server would write it.</summary>
[Document("deliveries")]
public sealed record DeliveryRecord : TenantDocument
{
    /// <summary>What was delivered on each day (UTC).</summary>
    public IReadOnlyList<DayOfDelivery> Days { get; init; } = [];

    /// <summary>Adds to what a day has.</summary>
    public DeliveryRecord Add(DayOfDelivery more) =>
        this with
        {
            Days = [.. Days.Where(day => day.Date != more.Date), Days.FirstOrDefault(day => day.Date == more.Date)?.Plus(more) ?? more],
        };

    public static MediaBuyDelivery Report(MediaBuy buy, IReadOnlyList<DayOfDelivery> days, IReadOnlyList<Product> products, bool withDays)
    {
        var all = Sum(days);
        var budget = buy.Packages.Sum(package => package.Budget);
        return new()
        {
            MediaBuyId = buy.Id,
            Status = buy.Status,
            Totals = new()
            {
                Impressions = all.Impressions,
                Clicks = all.Clicks,
                Spend = all.Spend,
            },
            ByPackage =
            [
                .. buy.Packages.Select(package => Share(package, days, all, package.Budget / budget, buy.Currency, products, withDays)),
            ],
        };
    }

    public static DayOfDelivery Sum(IEnumerable<DayOfDelivery> days) => days.Aggregate(new DayOfDelivery(), (sum, day) => sum.Plus(day));

    // The sample knows the sum only: each package has its share of the budget.
    private static PackageDelivery Share(
        Package package,
        IReadOnlyList<DayOfDelivery> days,
        DayOfDelivery all,
        decimal share,
        string currency,
        IReadOnlyList<Product> products,
        bool withDays
    )
    {
        var price = products
            .FirstOrDefault(product => product.ProductId == package.ProductId)
            ?.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId);
        var (impressions, clicks, spend) = all.Share(share);
        return new()
        {
            PackageId = package.PackageId,
            Impressions = impressions,
            Clicks = clicks,
            Spend = spend,
            PricingModel = price?.PricingModel ?? "cpm",
            Rate = price?.FixedPrice ?? package.BidPrice ?? price?.FloorPrice ?? 0,
            Currency = currency,
            DailyBreakdown = withDays ? [.. days.OrderBy(day => day.Date).Select(day => day.ToDaily(share))] : null,
        };
    }
}

/// <summary>What was delivered on a day.</summary>
public sealed record DayOfDelivery
{
    public DateOnly Date { get; init; }

    public decimal Impressions { get; init; }

    public decimal Clicks { get; init; }

    public decimal Spend { get; init; }

    public DayOfDelivery Plus(DayOfDelivery other) =>
        this with
        {
            Impressions = Impressions + other.Impressions,
            Clicks = Clicks + other.Clicks,
            Spend = Spend + other.Spend,
        };

    public (decimal Impressions, decimal Clicks, decimal Spend) Share(decimal share) =>
        (Math.Floor(Impressions * share), Math.Floor(Clicks * share), Math.Round(Spend * share, 2));

    public DailyDelivery ToDaily(decimal share)
    {
        var (impressions, _, spend) = Share(share);
        return new()
        {
            Date = Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Impressions = impressions,
            Spend = spend,
        };
    }
}
