using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>A media buy as it is kept.</summary>
[Document("media_buys", IdPrefix = "mb_")]
public sealed record MediaBuy : TenantDocument
{
    public required string Currency { get; init; }

    public required MediaBuyStatus Status { get; init; }

    /// <summary>Whether the buyer halted it: then it waits on for creatives and its first day, and is paused once it would run.</summary>
    public bool IsPaused { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public Cancellation? Cancellation { get; init; }

    public required IReadOnlyList<Package> Packages { get; init; }

    /// <summary>The media buy as time made it: creatives that came, a first day that is here, a last day that is over.</summary>
    public MediaBuy At(DateTimeOffset now) => this with { Status = Lifecycle.At(this, now) };

    public MediaBuy Pause(DateTimeOffset now) => (this with { IsPaused = true }).At(now);

    public MediaBuy Resume() => this with { IsPaused = false, Status = Status is MediaBuyStatus.Paused ? MediaBuyStatus.Active : Status };

    public MediaBuy WithCreative(string packageId, string creativeId) =>
        this with
        {
            Packages =
            [
                .. Packages.Select(package =>
                    package.PackageId != packageId
                    || package.CreativeAssignments?.Any(creative => creative.CreativeId == creativeId) is true
                        ? package
                        : package with
                        {
                            CreativeAssignments = [.. package.CreativeAssignments ?? [], new() { CreativeId = creativeId }],
                        }
                ),
            ],
        };

    public MediaBuySummary ToSummary() =>
        new()
        {
            MediaBuyId = Id,
            Status = Status,
            Currency = Currency,
            TotalBudget = Packages.Sum(package => package.Budget),
            StartTime = StartTime,
            EndTime = EndTime,
            CreatedAt = CreatedAt,
            Revision = (int)Revision,
            Cancellation = Cancellation,
            ValidActions = Lifecycle.ActionsOf(this),
            Packages = Packages,
        };
}
