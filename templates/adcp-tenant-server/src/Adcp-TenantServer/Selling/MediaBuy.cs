using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>A media buy as it is kept.</summary>
[Document("media_buys", IdPrefix = "mb_")]
public sealed record MediaBuy : TenantDocument
{
    /// <summary>The account as the order named it: a request may name the media buy alone.</summary>
    public AccountReference? Account { get; init; }

    public BrandReference? Brand { get; init; }

    public required string Currency { get; init; }

    public required MediaBuyStatus Status { get; init; }

    /// <summary>Whether the buyer halted it: then it waits on for creatives and its first day, and is paused once it would run.</summary>
    public bool IsPaused { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public string? PoNumber { get; init; }

    /// <summary>What the buyer's governance said of it. The sample keeps it; yours would ask the governance.</summary>
    public string? PlanId { get; init; }

    public string? GovernanceContext { get; init; }

    public JsonElement? Ext { get; init; }

    /// <summary>Where the buyer wants to be told of changes. Nothing is sent yet.</summary>
    public JsonElement? Notify { get; init; }

    /// <summary>Those of its creatives that may run.</summary>
    public IReadOnlyList<string> ApprovedCreatives { get; init; } = [];

    public Cancellation? Cancellation { get; init; }

    public required IReadOnlyList<Package> Packages { get; init; }

    /// <summary>
    /// What was agreed to for each package, by its id: its price, floor, least spend and currency. What the catalog says later is for
    /// orders that come later.
    /// </summary>
    public required IReadOnlyDictionary<string, PricingOption> Prices { get; init; }

    /// <summary>What its packages may cost; those that were canceled cost no more.</summary>
    [JsonIgnore]
    public decimal Budget =>
        Status is MediaBuyStatus.Canceled or MediaBuyStatus.Rejected
            ? 0
            : Packages.Where(package => package.Canceled is not true).Sum(package => package.Budget);

    /// <summary>Whether it has begun: creatives and its first day have come, so that there is no other first day any more.</summary>
    [JsonIgnore]
    public bool HasBegun => Status is MediaBuyStatus.Active or MediaBuyStatus.Paused;

    /// <summary>Whether a creative that may run has a share in a package.</summary>
    [JsonIgnore]
    public bool ShowsSomething =>
        Packages.Any(package =>
            package.CreativeAssignments?.Any(creative => creative.Weight != 0 && ApprovedCreatives.Contains(creative.CreativeId)) is true
        );

    /// <summary>The media buy as time made it: creatives that came, a first day that is here, a last day that is over.</summary>
    public MediaBuy At(DateTimeOffset now) => this with { Status = Lifecycle.At(this, now) };

    public MediaBuy Pause(DateTimeOffset now) => (this with { IsPaused = true }).At(now);

    public MediaBuy Resume() => this with { IsPaused = false, Status = Status is MediaBuyStatus.Paused ? MediaBuyStatus.Active : Status };

    /// <summary>Ends it, or packages of it: what ran in them is free again.</summary>
    public MediaBuy Cancel(Cancellation cancellation) =>
        this with
        {
            Status = MediaBuyStatus.Canceled,
            Cancellation = cancellation,
            ApprovedCreatives = [],
            Packages = [.. Packages.Select(package => package with { CreativeAssignments = null })],
        };

    /// <summary>Puts a creative into a package, or gives it another share there.</summary>
    public MediaBuy WithCreative(PackageAssignment wanted, bool isApproved)
    {
        var assignment = new CreativeAssignment { CreativeId = wanted.CreativeId, Weight = wanted.Weight };
        return (
            this with
            {
                Packages =
                [
                    .. Packages.Select(package =>
                        package.PackageId != wanted.PackageId
                            ? package
                            : package with
                            {
                                CreativeAssignments =
                                [
                                    .. (package.CreativeAssignments ?? []).Where(other => other.CreativeId != wanted.CreativeId),
                                    assignment,
                                ],
                            }
                    ),
                ],
            }
        ).WithApproval(wanted.CreativeId, isApproved);
    }

    public bool HasCreative(string creativeId) =>
        Packages.Any(package => package.CreativeAssignments?.Any(creative => creative.CreativeId == creativeId) is true);

    public MediaBuy WithApproval(string creativeId, bool isApproved)
    {
        var others = ApprovedCreatives.Where(id => id != creativeId);
        return this with { ApprovedCreatives = isApproved ? [.. others, creativeId] : [.. others] };
    }

    /// <param name="asksForSnapshot">Whether the buyer wants to know what runs right now, which the sample does not know.</param>
    public MediaBuySummary ToSummary(bool asksForSnapshot = false) =>
        new()
        {
            MediaBuyId = Id,
            Status = Status,
            Currency = Currency,
            TotalBudget = Packages.Sum(package => package.Budget),
            StartTime = StartTime,
            EndTime = EndTime,
            CreatedAt = CreatedAt,
            ConfirmedAt = CreatedAt,
            Revision = (int)Revision,
            Cancellation = Cancellation,
            ValidActions = Lifecycle.ActionsOf(this),
            Packages = asksForSnapshot
                ? [.. Packages.Select(package => package with { SnapshotUnavailableReason = "SNAPSHOT_UNSUPPORTED" })]
                : Packages,
        };
}
