using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Checks what a buyer wants against the products, and makes a media buy of it.</summary>
public sealed class Order(
    Terms terms,
    InventoryLists lists,
    CreativeLibrary library,
    IBudgetAuthority budgets,
    IOptions<AdcpOptions> options,
    TimeProvider time
)
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

        // All of it is looked at before anything is refused: a buyer can mend all mistakes at once.
        var (now, mistakes) = (time.GetUtcNow(), new Mistakes());
        foreach (var (index, package) in request.Packages.Index())
        {
            if (products.FirstOrDefault(product => product.ProductId == package.ProductId) is { } product)
            {
                mistakes.Add(terms.FindMistakes(package.MeasurementTerms, product, $"packages[{index}].measurement_terms"));
            }
        }

        var start = mistakes.Collect(() => OrderRules.ReadStart(request.StartTime, now));
        mistakes.Add(OrderRules.FindMistakes(start, request.EndTime, now));
        var priced = OrderRules.Price(request.Packages, products, now, mistakes);
        var message = await FindEmptyAsync(priced, mistakes, context, cancellationToken);
        var creatives = await library.FindAsync(
            request.Packages.Select(
                (package, index) =>
                    new Showing(
                        package.CreativeAssignments ?? [],
                        products.FirstOrDefault(product => product.ProductId == package.ProductId),
                        $"packages[{index}]"
                    )
            ),
            mistakes,
            context,
            cancellationToken
        );
        mistakes.Refuse();

        Package[] packages = [.. priced.Select((package, index) => ToPackage(package, $"pkg_{context.OperationId}_{index + 1}"))];
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
            Packages = packages,
            Prices = packages.Zip(priced).ToDictionary(pair => pair.First.PackageId, pair => pair.Second.Price),
        };
        var change = new BudgetChange(request.Account, buy.Currency, Before: 0, After: buy.Budget);
        return await budgets.WhyNotAsync(change, context, cancellationToken) is { } refusal ? throw refusal : (buy.At(now), message);
    }

    // A list that leaves nothing of a product is what the buyer asks for, and is told. One that is not there is a mistake.
    private async Task<string?> FindEmptyAsync(
        IReadOnlyList<PricedPackage> priced,
        Mistakes mistakes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        string? message = null;
        foreach (var package in priced)
        {
            var (targeting, field) = (package.Request.TargetingOverlay, $"{package.Field}.targeting_overlay");
            if (
                await mistakes.CollectAsync(() => lists.FindEmptyAsync(targeting, package.Product, field, context, cancellationToken)) is
                { } list
            )
            {
                message = $"{list} leaves nothing of {package.Product.ProductId}: the package delivers nothing until that is changed.";
            }
        }

        return message;
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
            MeasurementTerms = priced.Request.MeasurementTerms ?? priced.Product.MeasurementTerms,
            Context = priced.Request.Context,
            Ext = priced.Request.Ext,
        };
}
