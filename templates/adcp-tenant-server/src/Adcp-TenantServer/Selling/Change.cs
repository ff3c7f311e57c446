using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Changes a media buy as a buyer asks, where its lifecycle allows it.</summary>
public sealed class Change(InventoryLists lists, CreativeLibrary library, IBudgetAuthority budgets, TimeProvider time)
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
            return await SpendAsync(buy, buy.Cancel(ByBuyer(request.CancellationReason, now)), context, cancellationToken);
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

        // All of it is looked at before anything is refused: a buyer can mend all mistakes at once.
        var mistakes = new Mistakes();
        var updates = request.Packages ?? [];
        var creatives = await library.FindAsync(
            updates.Select(
                (update, index) => new Showing(update.CreativeAssignments ?? [], ProductOf(update, buy, products), $"packages[{index}]")
            ),
            mistakes,
            context,
            cancellationToken
        );
        var changed = buy with
        {
            StartTime = mistakes.Collect(() => StartOf(request.StartTime, buy, now)),
            EndTime = request.EndTime ?? buy.EndTime,
            GovernanceContext = request.GovernanceContext ?? buy.GovernanceContext,
            Ext = request.Ext ?? buy.Ext,
            Notify = request.NotificationConfig() ?? buy.Notify,
            Packages = await ChangeAsync(updates, buy, products, mistakes, context, cancellationToken),
        };
        changed = changed with
        {
            ApprovedCreatives = [.. buy.ApprovedCreatives.Union(CreativeLibrary.Approved(creatives)).Where(changed.HasCreative)],
        };
        if ((changed.StartTime, changed.EndTime) != (buy.StartTime, buy.EndTime))
        {
            mistakes.Add(OrderRules.FindMistakes(changed.StartTime, changed.EndTime, now));
        }

        changed = mistakes.Collect(() => Pause(request.Paused, changed.At(now), now));
        mistakes.Refuse();
        return await SpendAsync(buy, changed!, context, cancellationToken);
    }

    // The account has to be good for what the media buy may cost from now on. What was delivered already is owed however it ends.
    private async Task<MediaBuy> SpendAsync(MediaBuy buy, MediaBuy changed, ToolContext context, CancellationToken cancellationToken)
    {
        if (changed.Budget == buy.Budget || buy.Account is not { } account)
        {
            return changed;
        }

        var record = await context.Documents<DeliveryRecord>().Of(buy).GetAsync(buy.Id, cancellationToken);
        var owed = DeliveryRecord.Sum(record?.Days ?? []).Spend;
        var change = new BudgetChange(account, buy.Currency, Math.Max(owed, buy.Budget), Math.Max(owed, changed.Budget));
        return await budgets.WhyNotAsync(change, context, cancellationToken) is { } refusal ? throw refusal : changed;
    }

    // One that has begun has no other beginning any more. A buyer that sends the one it has changes nothing.
    private static DateTimeOffset StartOf(string? text, MediaBuy buy, DateTimeOffset now)
    {
        if (text is null || (buy.HasBegun && text == "asap"))
        {
            return buy.StartTime;
        }

        var start = OrderRules.ReadStart(text, now, buy.StartTime);
        return !buy.HasBegun || start == buy.StartTime
            ? start
            : throw new AdcpException(
                AdcpError.InvalidState,
                $"The media buy began at {buy.StartTime:u}, which cannot be changed any more.",
                "start_time"
            );
    }

    private static Product? ProductOf(PackageUpdate update, MediaBuy buy, IReadOnlyList<Product> products) =>
        buy.Packages.FirstOrDefault(package => package.PackageId == update.PackageId) is { } package
            ? products.FirstOrDefault(product => product.ProductId == package.ProductId)
            : null;

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
        Mistakes mistakes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var (packages, now) = (buy.Packages.ToArray(), time.GetUtcNow());
        HashSet<string> seen = [];
        foreach (var (index, update) in updates.Index())
        {
            var field = $"packages[{index}]";
            var place = Array.FindIndex(packages, package => package.PackageId == update.PackageId);
            if (WhyNot(update, place < 0 ? null : packages[place], !seen.Add(update.PackageId)) is var (error, message))
            {
                mistakes.Add(new AdcpException(error, message, $"{field}.package_id"));
                continue;
            }

            var (before, product) = (packages[place], ProductOf(update, buy, products));
            packages[place] = Apply(update, before, now);
            mistakes.Add(FindMistakes(update, packages[place], buy.Prices[before.PackageId], field));
            if (product is null || product.HasExpired(now))
            {
                if (NeedsProduct(update, before))
                {
                    mistakes.Add(NoLongerSold(product, $"{field}.package_id"));
                }

                continue;
            }

            // A list that leaves nothing of the product stops the package, which is what the buyer asks for. One that is not there does
            // not.
            var targeting = $"{field}.targeting_overlay";
            await mistakes.CollectAsync(() =>
                lists.FindEmptyAsync(update.TargetingOverlay, product, targeting, context, cancellationToken)
            );
        }

        return packages;
    }

    private static (AdcpError Error, string Message)? WhyNot(PackageUpdate update, Package? package, bool isTwice) =>
        package is null ? (AdcpError.PackageNotFound, $"The media buy has no package {update.PackageId}.")
        : isTwice ? (AdcpError.InvalidRequest, $"{update.PackageId} is in the request twice.")
        : package.Canceled is true ? (AdcpError.InvalidState, "The package is canceled: it cannot be changed.")
        : null;

    // A buyer must be able to stop what it buys, and to spend less, also where that is no longer sold.
    private static bool NeedsProduct(PackageUpdate update, Package before) =>
        update.Canceled is not true
        && (
            update.Budget > before.Budget
            || update.BidPrice > before.BidPrice
            || update.CreativeAssignments is { Count: > 0 }
            || update.TargetingOverlay is not null
            || update.Paused is false
        );

    private static AdcpException NoLongerSold(Product? product, string field) =>
        new(
            product is null ? AdcpError.ProductUnavailable : AdcpError.ProductExpired,
            "What the package buys is no longer sold: it can be made smaller, halted or canceled, and nothing else of it be changed.",
            field
        );

    // By the price that was agreed to, whatever the catalog says by now.
    private static IEnumerable<AdcpException> FindMistakes(PackageUpdate update, Package package, PricingOption price, string field) =>
        update is { Budget: null, BidPrice: null } || package.Canceled is true
            ? []
            : OrderRules.FindMistakes(price, package.Budget, package.BidPrice, field);

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
