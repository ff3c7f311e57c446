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

    public static MediaBuyDelivery Report(MediaBuy buy, IReadOnlyList<DayOfDelivery> days, bool withDays)
    {
        var all = Sum(days);

        // The sample knows the sum only: each package has its share of the budget. It is divided day by day, so that the days of a package
        // add up to what is said of the package, and the packages to what is said of the media buy.
        decimal[] budgets = [.. buy.Packages.Select(package => package.Budget)];
        var shares = days.OrderBy(day => day.Date).Select(day => day.Divide(budgets)).ToArray();
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
            ByPackage = [.. buy.Packages.Select((package, place) => Report(package, buy, [.. shares.Select(day => day[place])], withDays))],
        };
    }

    public static DayOfDelivery Sum(IEnumerable<DayOfDelivery> days) => days.Aggregate(new DayOfDelivery(), (sum, day) => sum.Plus(day));

    private static PackageDelivery Report(Package package, MediaBuy buy, IReadOnlyList<DayOfDelivery> days, bool withDays)
    {
        var (price, all) = (buy.Prices[package.PackageId], Sum(days));
        return new()
        {
            PackageId = package.PackageId,
            Impressions = all.Impressions,
            Clicks = all.Clicks,
            Spend = all.Spend,
            PricingModel = price.PricingModel,
            Rate = price.FixedPrice ?? PaidRate(price, all) ?? package.BidPrice ?? price.FloorPrice ?? 0,
            Currency = buy.Currency,
            DailyBreakdown = withDays ? [.. days.Select(day => day.ToDaily())] : null,
        };
    }

    // AdCP: the rate of an auction is what was paid in the end. Before anything was delivered there is none.
    private static decimal? PaidRate(PricingOption price, DayOfDelivery all) =>
        price.PricingModel switch
        {
            "cpm" when all.Impressions > 0 => decimal.Round(all.Spend / all.Impressions * 1000, 6),
            "cpc" when all.Clicks > 0 => decimal.Round(all.Spend / all.Clicks, 6),
            _ => null,
        };
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

    /// <summary>Divides it by the budgets of packages: impressions and clicks are whole, and money goes by hundredths.</summary>
    public IReadOnlyList<DayOfDelivery> Divide(IReadOnlyList<decimal> budgets)
    {
        var impressions = Shares.Of(Impressions, budgets, unit: 1);
        var clicks = Shares.Of(Clicks, budgets, unit: 1);
        var spend = Shares.Of(Spend, budgets, unit: 0.01m);
        return
        [
            .. budgets.Select((_, place) => this with { Impressions = impressions[place], Clicks = clicks[place], Spend = spend[place] }),
        ];
    }

    public DailyDelivery ToDaily() =>
        new()
        {
            Date = Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Impressions = Impressions,
            Spend = Spend,
        };
}

/// <summary>Divides an amount, so that the parts add up to it exactly.</summary>
public static class Shares
{
    /// <summary>Divides an amount by weights: what is left of whole units goes where the largest fraction was cut off.</summary>
    /// <param name="amount">The amount.</param>
    /// <param name="weights">The weights; where all are 0, the parts are equal.</param>
    /// <param name="unit">What is not divided further, such as a cent.</param>
    public static IReadOnlyList<decimal> Of(decimal amount, IReadOnlyList<decimal> weights, decimal unit)
    {
        var all = weights.Sum();
        decimal[] wanted = [.. weights.Select(weight => amount * (all > 0 ? weight / all : 1m / weights.Count))];
        decimal[] parts = [.. wanted.Select(share => Math.Floor(share / unit) * unit)];
        var left = amount - parts.Sum();
        int[] places = [.. Enumerable.Range(0, parts.Length).OrderByDescending(place => wanted[place] - parts[place])];
        foreach (var place in places)
        {
            var more = Math.Min(unit, left);
            parts[place] += more;
            left -= more;
        }

        return parts;
    }
}
