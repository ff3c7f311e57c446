namespace Tenancy.Adcp;

/// <summary>What AdCP asks of an order before anything is sold: prices, budgets, bids, currencies and times.</summary>
public static class OrderRules
{
    /// <summary>Finds the product and the price of each package, and checks its budget and bid by them.</summary>
    /// <param name="packages">The packages.</param>
    /// <param name="products">What is sold.</param>
    /// <param name="now">The time, by which products expire.</param>
    /// <exception cref="AdcpException">Packages cannot be bought so. All mistakes are named.</exception>
    public static IReadOnlyList<PricedPackage> Price(
        IReadOnlyList<PackageRequest> packages,
        IReadOnlyList<Product> products,
        DateTimeOffset now
    )
    {
        var mistakes = new Mistakes();
        var priced = Price(packages, products, now, mistakes);
        mistakes.Refuse();
        return priced;
    }

    /// <summary>Does the same among other checks, whose mistakes are told with these.</summary>
    /// <param name="packages">The packages.</param>
    /// <param name="products">What is sold.</param>
    /// <param name="now">The time, by which products expire.</param>
    /// <param name="mistakes">Gets what is wrong.</param>
    /// <returns>The packages whose product and price were found.</returns>
    public static IReadOnlyList<PricedPackage> Price(
        IReadOnlyList<PackageRequest> packages,
        IReadOnlyList<Product> products,
        DateTimeOffset now,
        Mistakes mistakes
    )
    {
        ArgumentNullException.ThrowIfNull(packages);
        ArgumentNullException.ThrowIfNull(products);
        ArgumentNullException.ThrowIfNull(mistakes);
        List<PricedPackage> priced = [];
        foreach (var (index, package) in packages.Index())
        {
            var field = $"packages[{index}]";
            if (products.FirstOrDefault(product => product.ProductId == package.ProductId) is not { } product)
            {
                mistakes.Add(
                    new AdcpException(AdcpError.ProductNotFound, $"There is no product {package.ProductId}.", $"{field}.product_id")
                );
            }
            else if (product.HasExpired(now))
            {
                mistakes.Add(
                    new AdcpException(
                        AdcpError.ProductExpired,
                        $"{package.ProductId} was sold until {product.ExpiresAt:u}: see get_products for what is sold now.",
                        $"{field}.product_id"
                    )
                );
            }
            else if (product.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId) is not { } price)
            {
                mistakes.Add(
                    new AdcpException(
                        AdcpError.ValidationError,
                        $"The product has no price {package.PricingOptionId}.",
                        $"{field}.pricing_option_id"
                    )
                    {
                        Suggestion = $"It has {string.Join(", ", product.PricingOptions.Select(option => option.PricingOptionId))}.",
                    }
                );
            }
            else
            {
                mistakes.Add(FindMistakes(price, package.Budget, package.BidPrice, field));
                if (priced is [var first, ..] && first.Price.Currency != price.Currency)
                {
                    mistakes.Add(
                        new AdcpException(
                            AdcpError.ValidationError,
                            $"The packages of a media buy are in one currency: this price is in {price.Currency}, and another one in "
                                + $"{first.Price.Currency}.",
                            $"{field}.pricing_option_id"
                        )
                    );
                }

                priced.Add(new(package, product, price, field));
            }
        }

        return priced;
    }

    /// <summary>Checks the budget and the bid that a package has, or would have, by its price.</summary>
    /// <param name="price">The package's price.</param>
    /// <param name="budget">Its budget.</param>
    /// <param name="bid">Its bid; null for none.</param>
    /// <param name="field">Its place in the request, such as <c>packages[0]</c>.</param>
    /// <returns>All mistakes; none where it can be bought so.</returns>
    public static IEnumerable<AdcpException> FindMistakes(PricingOption price, decimal budget, decimal? bid, string field)
    {
        ArgumentNullException.ThrowIfNull(price);
        var least = LeastBudget(price);
        if (budget <= 0 || budget < least)
        {
            yield return new(
                AdcpError.BudgetTooLow,
                budget <= 0 ? "budget must be more than 0." : $"budget must be {least} {price.Currency} at least.",
                $"{field}.budget"
            )
            {
                Details = new() { ["minimum_budget"] = least, ["currency"] = price.Currency },
            };
        }

        if (price.FixedPrice is not null)
        {
            if (bid is not null)
            {
                yield return new(
                    AdcpError.InvalidRequest,
                    "bid_price is for auctions, and this price is fixed: leave it out.",
                    $"{field}.bid_price"
                );
            }
        }
        else if (bid is null)
        {
            yield return new(AdcpError.InvalidRequest, "bid_price is required: the price is an auction's.", $"{field}.bid_price");
        }
        else if (bid <= 0 || bid < price.FloorPrice)
        {
            yield return new(
                AdcpError.BudgetTooLow,
                bid <= 0 ? "bid_price must be more than 0." : $"bid_price must be {price.FloorPrice} {price.Currency} at least.",
                $"{field}.bid_price"
            )
            {
                Details = new() { ["minimum_bid"] = price.FloorPrice ?? 0, ["currency"] = price.Currency },
            };
        }
    }

    // A flat rate is paid as a whole, whatever is delivered.
    internal static decimal LeastBudget(PricingOption price) =>
        Math.Max(price.MinSpendPerPackage ?? 0, price.PricingModel == "flat_rate" ? price.FixedPrice ?? 0 : 0);

    /// <summary>Reads when a media buy begins.</summary>
    /// <param name="text">A date and time with its offset (RFC 3339), or <c>asap</c>.</param>
    /// <param name="now">The time; it is what <c>asap</c> means.</param>
    /// <param name="before">When it begins so far, which may be said again however long ago that is. Default: not yet.</param>
    /// <exception cref="AdcpException">It is none, has no offset, or was more than a day ago.</exception>
    public static DateTimeOffset ReadStart(string text, DateTimeOffset now, DateTimeOffset? before = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text == "asap" ? now
            : !WireTime.TryRead(text, out var time)
                ? throw new AdcpException(
                    AdcpError.InvalidRequest,
                    "Give a date and time with its offset, such as 2026-01-31T00:00:00Z, or asap.",
                    "start_time"
                )
            : time >= now.AddDays(-1) || time == before ? time
            : throw new AdcpException(AdcpError.InvalidRequest, "The time is over.", "start_time");
    }

    /// <summary>Checks that a media buy ends after it begins, and not before now.</summary>
    /// <param name="start">When it begins.</param>
    /// <param name="end">When it ends.</param>
    /// <param name="now">The time.</param>
    /// <returns>The mistake; none where it does.</returns>
    public static IEnumerable<AdcpException> FindMistakes(DateTimeOffset start, DateTimeOffset end, DateTimeOffset now) =>
        end > start && end > now
            ? []
            : [new(AdcpError.InvalidRequest, end <= start ? "end_time must be after start_time." : "The time is over.", "end_time")];
}

/// <summary>A package with what it buys.</summary>
/// <param name="Request">The package as it was asked for.</param>
/// <param name="Product">Its product.</param>
/// <param name="Price">Its price.</param>
/// <param name="Field">Its place in the request, such as <c>packages[0]</c>.</param>
public sealed record PricedPackage(PackageRequest Request, Product Product, PricingOption Price, string Field);
