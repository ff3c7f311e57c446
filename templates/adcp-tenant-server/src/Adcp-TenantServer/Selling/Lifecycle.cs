using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Where a media buy can go. It never goes back: what is kept is replaced only where nobody else replaced it meanwhile.</summary>
internal static class Lifecycle
{
    public static bool IsOver(MediaBuyStatus status) => status is MediaBuyStatus.Completed or MediaBuyStatus.Rejected or MediaBuyStatus.Canceled;

    public static bool CanBecome(MediaBuyStatus from, MediaBuyStatus to) => from == to || (!IsOver(from) && to switch
    {
        MediaBuyStatus.PendingCreatives => false,
        MediaBuyStatus.PendingStart => from is MediaBuyStatus.PendingCreatives,
        MediaBuyStatus.Completed => from is MediaBuyStatus.Active or MediaBuyStatus.Paused,
        MediaBuyStatus.Rejected => from is MediaBuyStatus.PendingCreatives or MediaBuyStatus.PendingStart,
        _ => true,
    });

    public static MediaBuyStatus At(MediaBuy buy, DateTimeOffset now)
    {
        var status = buy.Status;
        if (IsOver(status))
        {
            return status;
        }

        if (status is MediaBuyStatus.PendingCreatives && buy.Packages.Any(package => package.CreativeAssignments is { Count: > 0 }))
        {
            status = MediaBuyStatus.PendingStart;
        }

        if (status is MediaBuyStatus.PendingStart && buy.StartTime <= now)
        {
            status = MediaBuyStatus.Active;
        }

        return status is MediaBuyStatus.Active or MediaBuyStatus.Paused && buy.EndTime <= now ? MediaBuyStatus.Completed : status;
    }

    public static IReadOnlyList<MediaBuyAction> ActionsOf(MediaBuyStatus status) => status switch
    {
        MediaBuyStatus.PendingCreatives => [MediaBuyAction.SyncCreatives, MediaBuyAction.UpdateBudget, MediaBuyAction.UpdateDates, MediaBuyAction.UpdatePackages, MediaBuyAction.Cancel],
        MediaBuyStatus.PendingStart => [MediaBuyAction.UpdateBudget, MediaBuyAction.UpdateDates, MediaBuyAction.UpdatePackages, MediaBuyAction.Cancel],
        MediaBuyStatus.Active => [MediaBuyAction.Pause, MediaBuyAction.UpdateBudget, MediaBuyAction.UpdateDates, MediaBuyAction.UpdatePackages, MediaBuyAction.Cancel],
        MediaBuyStatus.Paused => [MediaBuyAction.Resume, MediaBuyAction.UpdateBudget, MediaBuyAction.UpdateDates, MediaBuyAction.UpdatePackages, MediaBuyAction.Cancel],
        _ => [],
    };
}
