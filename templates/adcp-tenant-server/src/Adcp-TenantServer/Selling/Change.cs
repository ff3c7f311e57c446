using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Changes a media buy as a buyer asks, where its lifecycle allows it.</summary>
public sealed class Change(InventoryLists lists, CreativeLibrary library, TimeProvider time)
{
    public async Task<MediaBuy> ApplyAsync(
        UpdateMediaBuyRequest request,
        MediaBuy buy,
        IReadOnlyList<Product> products,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        if (Lifecycle.IsOver(buy.Status))
        {
            throw request.Canceled is true && buy.Status is MediaBuyStatus.Canceled
                ? new AdcpException(AdcpError.NotCancellable, "The media buy is canceled already.", "canceled")
                : new AdcpException(AdcpError.InvalidState, "The media buy is over: it cannot be changed.");
        }

        // Whatever else the request says is ignored: a buyer that wants to stop must be able to.
        if (request.Canceled is true)
        {
            return buy.Cancel(ByBuyer(request.CancellationReason, now));
        }

        if (request.Revision is { } seen && seen != buy.Revision)
        {
            throw new AdcpException(AdcpError.Conflict, "The media buy was changed since: read it again.", "revision")
            {
                Details = new()
                {
                    ["resource_id"] = buy.Id,
                    ["expected_version"] = seen,
                    ["current_version"] = buy.Revision,
                },
            };
        }

        var updates = request.Packages ?? [];
        var creatives = await library.FindAsync(
            updates.Select((update, index) => (update.CreativeAssignments, $"packages[{index}]")),
            context,
            cancellationToken
        );
        var changed = buy with
        {
            StartTime = request.StartTime is { } start ? OrderRules.ReadStart(start, now) : buy.StartTime,
            EndTime = request.EndTime ?? buy.EndTime,
            GovernanceContext = request.GovernanceContext ?? buy.GovernanceContext,
            Ext = request.Ext ?? buy.Ext,
            Notify = request.NotificationConfig() ?? buy.Notify,
            Packages = await ChangeAsync(updates, buy, products, context, cancellationToken),
        };
        changed = changed with
        {
            ApprovedCreatives = [.. buy.ApprovedCreatives.Union(CreativeLibrary.Approved(creatives)).Where(changed.HasCreative)],
        };
        if (request.StartTime is not null || request.EndTime is not null)
        {
            OrderRules.CheckEnd(changed.StartTime, changed.EndTime, now);
        }

        return Pause(request.Paused, changed.At(now), now);
    }

    private static Cancellation ByBuyer(string? reason, DateTimeOffset now) =>
        new()
        {
            CanceledAt = now,
            CanceledBy = "buyer",
            Reason = reason,
        };

    private static MediaBuy Pause(bool? isPaused, MediaBuy buy, DateTimeOffset now)
    {
        if (isPaused is not { } pause)
        {
            return buy;
        }

        return !Lifecycle.ActionsOf(buy).Contains(pause ? MediaBuyAction.Pause : MediaBuyAction.Resume)
                ? throw new AdcpException(
                    AdcpError.InvalidState,
                    $"The media buy cannot be {(pause ? "paused" : "resumed")} where it stands: see valid_actions.",
                    "paused"
                )
            : pause ? buy.Pause(now)
            : buy.Resume();
    }

    private async Task<IReadOnlyList<Package>> ChangeAsync(
        IReadOnlyList<PackageUpdate> updates,
        MediaBuy buy,
        IReadOnlyList<Product> products,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var packages = buy.Packages.ToArray();
        List<AdcpException> mistakes = [];
        foreach (var (index, update) in updates.Index())
        {
            var field = $"packages[{index}]";
            var place = Array.FindIndex(packages, package => package.PackageId == update.PackageId);
            if (place < 0)
            {
                mistakes.Add(new(AdcpError.PackageNotFound, $"The media buy has no package {update.PackageId}.", $"{field}.package_id"));
                continue;
            }

            if (packages[place].Canceled is true)
            {
                mistakes.Add(new(AdcpError.InvalidState, "The package is canceled: it cannot be changed.", $"{field}.package_id"));
                continue;
            }

            packages[place] = Apply(update, packages[place], time.GetUtcNow());
            var product = products.FirstOrDefault(product => product.ProductId == packages[place].ProductId);
            if (product?.PricingOptions.FirstOrDefault(price => price.PricingOptionId == packages[place].PricingOptionId) is not { } price)
            {
                if (NeedsProduct(update))
                {
                    mistakes.Add(
                        new(
                            AdcpError.ProductUnavailable,
                            "What the package buys is no longer sold: it can be halted or canceled, and nothing else of it be changed.",
                            $"{field}.package_id"
                        )
                    );
                }

                continue;
            }

            mistakes.AddRange(FindMistakes(update, packages[place], price, field));

            // A list that leaves nothing of the product stops the package, which is what the buyer asks for. One that is not there does
            // not.
            await lists.FindEmptyAsync(update.TargetingOverlay, product!, $"{field}.targeting_overlay", context, cancellationToken);
        }

        return mistakes.Count > 0 ? throw new AdcpException(mistakes) : packages;
    }

    // A buyer must be able to stop what it buys, also where that is no longer sold.
    private static bool NeedsProduct(PackageUpdate update) =>
        update.Canceled is not true
        && update is not { Budget: null, BidPrice: null, CreativeAssignments: null, TargetingOverlay: null, Paused: null or true };

    private static IEnumerable<AdcpException> FindMistakes(PackageUpdate update, Package package, PricingOption price, string field) =>
        update is { Budget: null, BidPrice: null } || package.Canceled is true
            ? []
            // A bid from before the price was fixed counts no more, and one that comes now is a mistake.
            : OrderRules.FindMistakes(price, package.Budget, price.FixedPrice is null ? package.BidPrice : update.BidPrice, field);

    private static Package Apply(PackageUpdate update, Package package, DateTimeOffset now) =>
        update.Canceled is true
            ? package with
            {
                Canceled = true,
                Cancellation = ByBuyer(update.CancellationReason, now),
                CreativeAssignments = null,
            }
            : package with
            {
                Budget = update.Budget ?? package.Budget,
                BidPrice = update.BidPrice ?? package.BidPrice,
                Paused = update.Paused ?? package.Paused,
                CreativeAssignments = update.CreativeAssignments ?? package.CreativeAssignments,
                TargetingOverlay = update.TargetingOverlay?.WithoutSecrets() ?? package.TargetingOverlay,
                Context = update.Context ?? package.Context,
                Ext = update.Ext ?? package.Ext,
            };
}
