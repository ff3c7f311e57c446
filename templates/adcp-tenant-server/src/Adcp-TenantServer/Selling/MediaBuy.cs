using System.Globalization;
using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Handlers;

/// <summary>A media buy as it is kept.</summary>
[Document("media_buys", IdPrefix = "mb_")]
public sealed record MediaBuy : TenantDocument
{
    public required string Currency { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required IReadOnlyList<Package> Packages { get; init; }

    /// <summary>Checks a request against the products and makes a media buy of it.</summary>
    public static MediaBuy From(CreateMediaBuyRequest request, IReadOnlyList<Product> products, DateTimeOffset now)
    {
        if (request.Packages.Count == 0)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "packages must have at least one package.", "/packages");
        }

        var start = ReadStart(request.StartTime, now);
        if (request.EndTime <= start)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "end_time must be after start_time.", "/end_time");
        }

        var prices = request.Packages.Select((package, index) => FindPrice(package, index, products)).ToArray();
        return new()
        {
            Currency = prices[0].Currency,
            StartTime = start,
            EndTime = request.EndTime,
            CreatedAt = now,
            Packages = [.. request.Packages.Select((package, index) => new Package
            {
                PackageId = $"pkg_{index + 1}",
                ProductId = package.ProductId,
                PricingOptionId = package.PricingOptionId,
                Budget = package.Budget,
            })],
        };
    }

    public MediaBuySummary ToSummary() => new()
    {
        MediaBuyId = Id,
        Status = MediaBuyStatus.PendingCreatives,
        Currency = Currency,
        TotalBudget = Packages.Sum(package => package.Budget),
        StartTime = StartTime,
        EndTime = EndTime,
        CreatedAt = CreatedAt,
        Packages = Packages,
    };

    private static DateTimeOffset ReadStart(string start, DateTimeOffset now) =>
        start == "asap" ? now
        : DateTimeOffset.TryParse(start, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new AdcpException(AdcpError.InvalidRequest, "start_time must be an ISO 8601 date and time, or asap.", "/start_time");

    private static PricingOption FindPrice(PackageRequest package, int index, IReadOnlyList<Product> products)
    {
        var product = products.FirstOrDefault(product => product.ProductId == package.ProductId)
            ?? throw new AdcpException(AdcpError.ProductNotFound, $"There is no product {package.ProductId}.", $"/packages/{index}/product_id");
        if (package.Budget <= 0)
        {
            throw new AdcpException(AdcpError.BudgetTooLow, "budget must be more than 0.", $"/packages/{index}/budget");
        }

        return product.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId)
            ?? throw new AdcpException(AdcpError.ValidationError, $"The product has no price {package.PricingOptionId}.", $"/packages/{index}/pricing_option_id");
    }
}
