using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Where a media buy can go. It never goes back: what is kept is replaced only where nobody else replaced it meanwhile.</summary>
internal static class Lifecycle
{
    private static readonly MediaBuyAction[] Changes =
    [
        MediaBuyAction.UpdateBudget,
        MediaBuyAction.UpdateDates,
        MediaBuyAction.UpdatePackages,
        MediaBuyAction.Cancel,
    ];

    public static bool IsOver(MediaBuyStatus status) =>
        status is MediaBuyStatus.Completed or MediaBuyStatus.Rejected or MediaBuyStatus.Canceled;

    public static bool CanBecome(MediaBuyStatus from, MediaBuyStatus to) =>
        from == to
        || (
            !IsOver(from)
            && to switch
            {
                MediaBuyStatus.PendingCreatives => false,
                MediaBuyStatus.PendingStart => from is MediaBuyStatus.PendingCreatives,
                MediaBuyStatus.Completed => from is MediaBuyStatus.Active or MediaBuyStatus.Paused,
                MediaBuyStatus.Rejected => from is MediaBuyStatus.PendingCreatives or MediaBuyStatus.PendingStart,
                _ => true,
            }
        );

    public static MediaBuyStatus At(MediaBuy buy, DateTimeOffset now)
    {
        var status = buy.Status;
        if (IsOver(status))
        {
            return status;
        }

        // One with no share is halted.
        if (
            status is MediaBuyStatus.PendingCreatives
            && buy.Packages.Any(package => package.CreativeAssignments?.Any(creative => creative.Weight != 0) is true)
        )
        {
            status = MediaBuyStatus.PendingStart;
        }

        // A creative that waits for its review runs nowhere.
        if (status is MediaBuyStatus.PendingStart && buy.StartTime <= now && buy.ShowsSomething)
        {
            status = MediaBuyStatus.Active;
        }

        if (status is MediaBuyStatus.Active && buy.IsPaused)
        {
            status = MediaBuyStatus.Paused;
        }

        return buy.EndTime <= now ? MediaBuyStatus.Completed : status;
    }

    public static IReadOnlyList<MediaBuyAction> ActionsOf(MediaBuy buy) =>
        buy.Status switch
        {
            MediaBuyStatus.PendingCreatives => [MediaBuyAction.SyncCreatives, PauseOrResume(buy), .. Changes],
            MediaBuyStatus.PendingStart or MediaBuyStatus.Active or MediaBuyStatus.Paused => [PauseOrResume(buy), .. Changes],
            _ => [],
        };

    private static MediaBuyAction PauseOrResume(MediaBuy buy) =>
        buy.IsPaused || buy.Status is MediaBuyStatus.Paused ? MediaBuyAction.Resume : MediaBuyAction.Pause;
}
