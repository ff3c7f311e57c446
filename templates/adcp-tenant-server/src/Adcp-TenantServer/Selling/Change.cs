using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Changes a media buy as a buyer asks, where its lifecycle allows it.</summary>
internal static class Change
{
    public static MediaBuy Apply(UpdateMediaBuyRequest request, MediaBuy buy, DateTimeOffset now)
    {
        if (Lifecycle.IsOver(buy.Status))
        {
            throw request.Canceled is true
                ? new AdcpException(AdcpError.NotCancellable, "The media buy is over already.", "/canceled")
                : new AdcpException(AdcpError.InvalidState, "The media buy is over: it cannot be changed.");
        }

        var changed = buy with
        {
            StartTime = request.StartTime is { } start ? Order.ReadTime(start, "/start_time", now) : buy.StartTime,
            EndTime = request.EndTime ?? buy.EndTime,
            Packages = ChangePackages(request, buy),
        };
        if (changed.EndTime <= changed.StartTime)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "end_time must be after start_time.", "/end_time");
        }

        return request.Canceled is true
            ? changed with
            {
                Status = MediaBuyStatus.Canceled,
                Cancellation = new()
                {
                    CanceledAt = now,
                    CanceledBy = "buyer",
                    Reason = request.CancellationReason,
                },
            }
            : Pause(request.Paused, changed.At(now), now);
    }

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
                    "/paused"
                )
            : pause ? buy.Pause(now)
            : buy.Resume();
    }

    private static IReadOnlyList<Package> ChangePackages(UpdateMediaBuyRequest request, MediaBuy buy)
    {
        var packages = buy.Packages.ToArray();
        foreach (var (index, update) in (request.Packages ?? []).Index())
        {
            var place = Array.FindIndex(packages, package => package.PackageId == update.PackageId);
            packages[
                place >= 0
                    ? place
                    : throw new AdcpException(
                        AdcpError.PackageNotFound,
                        $"The media buy has no package {update.PackageId}.",
                        $"/packages/{index}/package_id"
                    )
            ] = ChangePackage(update, packages[place], index);
        }

        return packages;
    }

    private static Package ChangePackage(PackageUpdate update, Package package, int index) =>
        update.Budget is 0
            ? throw new AdcpException(AdcpError.BudgetTooLow, "budget must be more than 0.", $"/packages/{index}/budget")
            : package with
            {
                Budget = update.Budget ?? package.Budget,
                BidPrice = update.BidPrice ?? package.BidPrice,
                Paused = update.Paused ?? package.Paused,
                Canceled = update.Canceled ?? package.Canceled,
                CreativeAssignments = update.CreativeAssignments ?? package.CreativeAssignments,
                TargetingOverlay = update.TargetingOverlay ?? package.TargetingOverlay,
            };
}
