using System.Globalization;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Checks what a buyer wants against the products, and makes a media buy of it.</summary>
internal static class Order
{
    public static MediaBuy Create(CreateMediaBuyRequest request, IReadOnlyList<Product> products, ToolContext context, DateTimeOffset now)
    {
        foreach (var (index, package) in request.Packages.Index())
        {
            MeasurementTerms.Check(package.MeasurementTerms, $"/packages/{index}/measurement_terms");
        }

        var start = ReadTime(request.StartTime, "/start_time", now);
        if (request.EndTime <= start)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "end_time must be after start_time.", "/end_time");
        }

        var prices = request.Packages.Select((package, index) => FindPrice(package, index, products)).ToArray();
        return new MediaBuy
        {
            Currency = prices[0].Currency,
            Status = MediaBuyStatus.PendingCreatives,
            StartTime = start,
            EndTime = request.EndTime,
            CreatedAt = now,
            Packages = [.. request.Packages.Select((package, index) => ToPackage(package, $"pkg_{context.OperationId}_{index + 1}"))],
        }.At(now);
    }

    public static DateTimeOffset ReadTime(string text, string field, DateTimeOffset now) =>
        text == "asap" ? now
        : !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? throw new AdcpException(AdcpError.InvalidRequest, "Give an ISO 8601 date and time, or asap.", field)
        : time >= now.AddDays(-1) ? time
        : throw new AdcpException(AdcpError.InvalidRequest, "The time is over.", field);

    private static Package ToPackage(PackageRequest package, string id) =>
        new()
        {
            PackageId = id,
            ProductId = package.ProductId,
            PricingOptionId = package.PricingOptionId,
            Budget = package.Budget,
            BidPrice = package.BidPrice,
            CreativeAssignments = package.CreativeAssignments,
            TargetingOverlay = package.TargetingOverlay,
            MeasurementTerms = package.MeasurementTerms,
        };

    private static PricingOption FindPrice(PackageRequest package, int index, IReadOnlyList<Product> products)
    {
        var product = products.FirstOrDefault(product => product.ProductId == package.ProductId)
            ?? throw new AdcpException(
                AdcpError.ProductNotFound,
                $"There is no product {package.ProductId}.",
                $"/packages/{index}/product_id"
            );
        var price = product.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId)
            ?? throw new AdcpException(
                AdcpError.ValidationError,
                $"The product has no price {package.PricingOptionId}.",
                $"/packages/{index}/pricing_option_id"
            );
        return package.Budget <= 0
                ? throw new AdcpException(AdcpError.BudgetTooLow, "budget must be more than 0.", $"/packages/{index}/budget")
            : package.BidPrice < price.FloorPrice
                ? throw new AdcpException(
                    AdcpError.BudgetTooLow,
                    $"bid_price must be {price.FloorPrice} at least.",
                    $"/packages/{index}/bid_price"
                )
            : price;
    }
}
