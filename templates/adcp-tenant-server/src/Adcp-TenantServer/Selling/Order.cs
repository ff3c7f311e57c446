using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Checks what a buyer wants against the products, and makes a media buy of it.</summary>
public sealed class Order(InventoryLists lists, CreativeLibrary library, IOptions<AdcpOptions> options, TimeProvider time)
{
    /// <returns>The media buy, and what the buyer should know of it.</returns>
    public async Task<(MediaBuy Buy, string? Message)> CreateAsync(
        CreateMediaBuyRequest request,
        IReadOnlyList<Product> products,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (options.Value.TestMode)
        {
            // A checker bids on each price by cpm, also where that is fixed. Every other buyer is told that such a bid counts for nothing.
            request = request with { Packages = [.. request.Packages.Select(package => WithoutNeedlessBid(package, products))] };
        }

        var now = time.GetUtcNow();
        foreach (var (index, package) in request.Packages.Index())
        {
            Terms.Check(package.MeasurementTerms, $"packages[{index}].measurement_terms");
        }

        var start = OrderRules.ReadStart(request.StartTime, now);
        OrderRules.CheckEnd(start, request.EndTime, now);
        var priced = OrderRules.Price(request.Packages, products);
        string? message = null;
        foreach (var (index, package) in priced.Index())
        {
            var field = $"packages[{index}].targeting_overlay";
            if (
                await lists.FindEmptyAsync(package.Request.TargetingOverlay, package.Product, field, context, cancellationToken) is { } list
            )
            {
                message = $"{list} leaves nothing of {package.Product.ProductId}: the package delivers nothing until that is changed.";
            }
        }

        var creatives = await library.FindAsync(
            request.Packages.Select((package, index) => (package.CreativeAssignments, $"packages[{index}]")),
            context,
            cancellationToken
        );
        var buy = new MediaBuy
        {
            Account = request.Account,
            Brand = request.Brand,
            Currency = priced[0].Price.Currency,
            Status = MediaBuyStatus.PendingCreatives,
            StartTime = start,
            EndTime = request.EndTime,
            CreatedAt = now,
            PoNumber = request.PoNumber,
            PlanId = request.PlanId,
            GovernanceContext = request.GovernanceContext,
            Ext = request.Ext,
            Notify = request.NotificationConfig(),
            ApprovedCreatives = CreativeLibrary.Approved(creatives),
            Packages = [.. priced.Select((package, index) => ToPackage(package, $"pkg_{context.OperationId}_{index + 1}"))],
        };
        return (buy.At(now), message);
    }

    private static PackageRequest WithoutNeedlessBid(PackageRequest package, IReadOnlyList<Product> products) =>
        products
            .FirstOrDefault(product => product.ProductId == package.ProductId)
            ?.PricingOptions.FirstOrDefault(price => price.PricingOptionId == package.PricingOptionId)
            is { FixedPrice: not null }
            ? package with
            {
                BidPrice = null,
            }
            : package;

    private static Package ToPackage(PricedPackage priced, string id) =>
        new()
        {
            PackageId = id,
            ProductId = priced.Product.ProductId,
            PricingOptionId = priced.Price.PricingOptionId,
            Budget = priced.Request.Budget,
            BidPrice = priced.Request.BidPrice,
            Paused = priced.Request.Paused,
            CreativeAssignments = priced.Request.CreativeAssignments,
            TargetingOverlay = priced.Request.TargetingOverlay?.WithoutSecrets(),
            MeasurementTerms = priced.Request.MeasurementTerms,
            Context = priced.Request.Context,
            Ext = priced.Request.Ext,
        };
}
