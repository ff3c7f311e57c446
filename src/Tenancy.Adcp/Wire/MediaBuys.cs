using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Buys media.</summary>
public record CreateMediaBuyRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new buy; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the account that pays.</summary>
    [Description("An account of yours: see sync_accounts and list_accounts.")]
    public required AccountReference Account { get; init; }

    /// <summary>Gets the brand that is advertised.</summary>
    public required BrandReference Brand { get; init; }

    /// <summary>Gets when it begins: a date and time (ISO 8601), or <c>asap</c>.</summary>
    [Description("ISO 8601 date and time, or asap.")]
    public required string StartTime { get; init; }

    /// <summary>Gets when it ends.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>Gets what is bought.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public required IReadOnlyList<PackageRequest> Packages { get; init; }

    /// <summary>Gets the buyer's purchase order.</summary>
    public string? PoNumber { get; init; }

    /// <summary>Gets the plan of the buyer's governance that this is a part of.</summary>
    public string? PlanId { get; init; }

    AccountUse IAccountRequest.Use => AccountUse.Spend;
}

/// <summary>A part of a media buy: one product at one price.</summary>
public sealed record PackageRequest : AdcpObject
{
    /// <summary>Gets the product.</summary>
    public required string ProductId { get; init; }

    /// <summary>Gets the price.</summary>
    public required string PricingOptionId { get; init; }

    /// <summary>Gets the budget, in the price's currency.</summary>
    [Range(0, Amounts.Most)]
    public required decimal Budget { get; init; }

    /// <summary>Gets the bid, where the price is an auction's.</summary>
    [Range(0, Amounts.Most)]
    public decimal? BidPrice { get; init; }

    /// <summary>Gets whether it waits for the buyer before it runs. Default: it does not.</summary>
    public bool? Paused { get; init; }

    /// <summary>Gets the creatives that run.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<CreativeAssignment>? CreativeAssignments { get; init; }

    /// <summary>Gets whom or where the package is aimed at.</summary>
    public TargetingOverlay? TargetingOverlay { get; init; }

    /// <summary>Gets how delivery is measured.</summary>
    public MeasurementTerms? MeasurementTerms { get; init; }

    /// <summary>Gets the buyer's own data, which comes back with the package.</summary>
    public JsonElement? Context { get; init; }

    /// <summary>Gets the extensions, which come back with the package.</summary>
    public JsonElement? Ext { get; init; }
}

/// <summary>Whom or where a package is aimed at. Any other way of AdCP to aim is refused unless a handler honours it.</summary>
public sealed record TargetingOverlay : AdcpObject
{
    /// <summary>Gets the properties that it may run on; see <see cref="IListResolver"/>.</summary>
    public ListReference? PropertyList { get; init; }

    /// <summary>Gets the collections that it may run in; see <see cref="IListResolver"/>.</summary>
    public ListReference? CollectionList { get; init; }

    /// <summary>Gets the collections that it may not run in; see <see cref="IListResolver"/>.</summary>
    public ListReference? CollectionListExclude { get; init; }
}

/// <summary>How delivery is measured.</summary>
public sealed record MeasurementTerms : AdcpObject
{
    /// <summary>Gets whose measurement is billed.</summary>
    public BillingMeasurement? BillingMeasurement { get; init; }

    /// <summary>Gets how it is made good where less was delivered.</summary>
    public MakegoodPolicy? MakegoodPolicy { get; init; }
}

/// <summary>How it is made good where less was delivered.</summary>
public sealed record MakegoodPolicy : AdcpObject
{
    /// <summary>Gets the ways, such as <c>additional_delivery</c> or <c>credit</c>.</summary>
    [MinLength(1)]
    [MaxLength(10)]
    public required IReadOnlyList<string> AvailableRemedies { get; init; }
}

/// <summary>Whose measurement is billed.</summary>
public sealed record BillingMeasurement : AdcpObject
{
    /// <summary>Gets who measures.</summary>
    public required BrandReference Vendor { get; init; }

    /// <summary>Gets by how many percent the buyer's own count may differ before it is looked at.</summary>
    [Range(0.0, 100.0, MaximumIsExclusive = true)]
    public decimal? MaxVariancePercent { get; init; }

    /// <summary>Gets how long after an ad was shown it counts, such as <c>live</c>, <c>c3</c> or <c>c7</c>.</summary>
    public string? MeasurementWindow { get; init; }
}

/// <summary>A creative that runs in a package.</summary>
public sealed record CreativeAssignment : AdcpObject
{
    /// <summary>Gets the creative.</summary>
    public required string CreativeId { get; init; }

    /// <summary>Gets its share among the package's creatives.</summary>
    [Range(0.0, 100.0)]
    public decimal? Weight { get; init; }
}

/// <summary>A media buy that was made.</summary>
public sealed record CreateMediaBuyResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets the media buy's id.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets the same by the name that AdCP 3.1 gives it.</summary>
    public MediaBuyStatus MediaBuyStatus => Status;

    /// <summary>Gets when the seller confirmed it.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Gets how often it was changed; 1 when it is new.</summary>
    [Range(1, int.MaxValue)]
    public int Revision { get; init; } = 1;

    /// <summary>Gets what the buyer can do next.</summary>
    public IReadOnlyList<MediaBuyAction>? ValidActions { get; init; }

    /// <summary>Gets what was bought.</summary>
    public required IReadOnlyList<Package> Packages { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }

    /// <summary>Gets what the buyer should know of it, such as that a package will deliver nothing.</summary>
    public string? Message { get; init; }
}

/// <summary>Changes a media buy.</summary>
public record UpdateMediaBuyRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new change; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the account that pays.</summary>
    public required AccountReference Account { get; init; }

    /// <summary>Gets the media buy.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets the revision that the buyer has seen; the change is refused where there is a newer one.</summary>
    [Range(1, int.MaxValue)]
    public int? Revision { get; init; }

    /// <summary>Gets whether it is halted.</summary>
    public bool? Paused { get; init; }

    /// <summary>
    /// Gets whether it is ended for good: there is no way back, so that false is nothing to ask for. With it, all other changes are
    /// ignored.
    /// </summary>
    [AllowedValues(true, null)]
    public bool? Canceled { get; init; }

    /// <summary>Gets why it is ended.</summary>
    [MaxLength(500)]
    public string? CancellationReason { get; init; }

    /// <summary>Gets the new start.</summary>
    public string? StartTime { get; init; }

    /// <summary>Gets the new end.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Gets the packages that change.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<PackageUpdate>? Packages { get; init; }
}

/// <summary>A change of a package: what is left out stays.</summary>
public sealed record PackageUpdate : AdcpObject
{
    /// <summary>Gets the package.</summary>
    public required string PackageId { get; init; }

    /// <summary>Gets the new budget.</summary>
    [Range(0, Amounts.Most)]
    public decimal? Budget { get; init; }

    /// <summary>Gets the new bid.</summary>
    [Range(0, Amounts.Most)]
    public decimal? BidPrice { get; init; }

    /// <summary>Gets whether it is halted.</summary>
    public bool? Paused { get; init; }

    /// <summary>Gets whether it is ended for good: there is no way back, so that false is nothing to ask for.</summary>
    [AllowedValues(true, null)]
    public bool? Canceled { get; init; }

    /// <summary>Gets why it is ended.</summary>
    [MaxLength(500)]
    public string? CancellationReason { get; init; }

    /// <summary>Gets the creatives that run from now on, in place of the others.</summary>
    [MaxLength(100)]
    public IReadOnlyList<CreativeAssignment>? CreativeAssignments { get; init; }

    /// <summary>Gets whom or where it is aimed at from now on.</summary>
    public TargetingOverlay? TargetingOverlay { get; init; }

    /// <summary>Gets the buyer's own data, which comes back with the package from now on.</summary>
    public JsonElement? Context { get; init; }

    /// <summary>Gets the extensions, which come back with the package from now on.</summary>
    public JsonElement? Ext { get; init; }
}

/// <summary>A media buy that was changed.</summary>
public sealed record UpdateMediaBuyResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets the media buy's id.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets the same by the name that AdCP 3.1 gives it.</summary>
    public MediaBuyStatus MediaBuyStatus => Status;

    /// <summary>Gets how often it was changed.</summary>
    [Range(1, int.MaxValue)]
    public required int Revision { get; init; }

    /// <summary>Gets the packages that changed.</summary>
    public IReadOnlyList<Package>? AffectedPackages { get; init; }

    /// <summary>Gets what the buyer can do next.</summary>
    public IReadOnlyList<MediaBuyAction>? ValidActions { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}

/// <summary>Asks for media buys of the caller.</summary>
public record GetMediaBuysRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the account whose media buys are wanted; all accounts of the caller where it is left out.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets the ids that are wanted; where it is left out, all that <see cref="StatusFilter"/> lets through.</summary>
    [MinLength(1)]
    [MaxLength(1000)]
    public IReadOnlyList<string>? MediaBuyIds { get; init; }

    /// <summary>
    /// Gets where those that are wanted stand: one status or several. Default: active, and with <see cref="MediaBuyIds"/> any.
    /// </summary>
    [MinLength(1)]
    [MaxLength(100)]
    [JsonConverter(typeof(OneOrMany<MediaBuyStatus>))]
    public IReadOnlyList<MediaBuyStatus>? StatusFilter { get; init; }

    /// <summary>Gets whether a snapshot of what runs is wanted. A seller without one says so of each package.</summary>
    public bool? IncludeSnapshot { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }

    /// <summary>Says whether media buys of a status are wanted.</summary>
    public bool Wants(MediaBuyStatus status) =>
        StatusFilter?.Contains(status) ?? (MediaBuyIds is not null || status == MediaBuyStatus.Active);
}

/// <summary>Media buys of the caller.</summary>
public sealed record GetMediaBuysResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets the media buys.</summary>
    public required IReadOnlyList<MediaBuySummary> MediaBuys { get; init; }

    /// <summary>Gets what could not be answered, such as ids that the caller has no media buy of.</summary>
    public IReadOnlyList<ErrorEntry>? Errors { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}

/// <summary>A media buy.</summary>
public sealed record MediaBuySummary : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    [RegularExpression(WirePatterns.Currency)]
    public required string Currency { get; init; }

    /// <summary>Gets the budget of all packages.</summary>
    [Range(0, double.MaxValue)]
    public required decimal TotalBudget { get; init; }

    /// <summary>Gets when it begins.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>Gets when it ends.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Gets when it was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Gets when the seller confirmed it.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Gets how often it was changed.</summary>
    public int? Revision { get; init; }

    /// <summary>Gets how it was ended before its time.</summary>
    public Cancellation? Cancellation { get; init; }

    /// <summary>Gets what the buyer can do next.</summary>
    public IReadOnlyList<MediaBuyAction>? ValidActions { get; init; }

    /// <summary>Gets what was bought.</summary>
    public required IReadOnlyList<Package> Packages { get; init; }
}

/// <summary>How a media buy was ended before its time.</summary>
public sealed record Cancellation
{
    /// <summary>Gets when.</summary>
    public required DateTimeOffset CanceledAt { get; init; }

    /// <summary>Gets by whom: <c>buyer</c> or <c>seller</c>.</summary>
    public required string CanceledBy { get; init; }

    /// <summary>Gets why.</summary>
    public string? Reason { get; init; }
}

/// <summary>A part of a media buy.</summary>
public sealed record Package : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public required string PackageId { get; init; }

    /// <summary>Gets the product.</summary>
    public required string ProductId { get; init; }

    /// <summary>Gets the price.</summary>
    public required string PricingOptionId { get; init; }

    /// <summary>Gets the budget.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Budget { get; init; }

    /// <summary>Gets the bid.</summary>
    public decimal? BidPrice { get; init; }

    /// <summary>Gets whether it is halted.</summary>
    public bool? Paused { get; init; }

    /// <summary>Gets whether it was ended for good.</summary>
    public bool? Canceled { get; init; }

    /// <summary>Gets how it was ended for good.</summary>
    public Cancellation? Cancellation { get; init; }

    /// <summary>Gets the creatives that run.</summary>
    public IReadOnlyList<CreativeAssignment>? CreativeAssignments { get; init; }

    /// <summary>Gets whom or where it is aimed at.</summary>
    public TargetingOverlay? TargetingOverlay { get; init; }

    /// <summary>Gets how delivery is measured.</summary>
    public MeasurementTerms? MeasurementTerms { get; init; }

    /// <summary>
    /// Gets why there is no snapshot, where one was asked for: <c>SNAPSHOT_UNSUPPORTED</c>, or that it is not there for now.
    /// </summary>
    public string? SnapshotUnavailableReason { get; init; }

    /// <summary>Gets the buyer's own data.</summary>
    public JsonElement? Context { get; init; }

    /// <summary>Gets the extensions.</summary>
    public JsonElement? Ext { get; init; }
}

/// <summary>Where a media buy stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MediaBuyStatus>))]
public enum MediaBuyStatus
{
    /// <summary>It waits for creatives.</summary>
    [JsonStringEnumMemberName("pending_creatives")]
    PendingCreatives,

    /// <summary>It waits for its first day.</summary>
    [JsonStringEnumMemberName("pending_start")]
    PendingStart,

    /// <summary>It runs.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>It is halted.</summary>
    [JsonStringEnumMemberName("paused")]
    Paused,

    /// <summary>It has run.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>The seller declined it.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>It was ended before its time.</summary>
    [JsonStringEnumMemberName("canceled")]
    Canceled,
}

/// <summary>What a buyer can do with a media buy.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MediaBuyAction>))]
public enum MediaBuyAction
{
    /// <summary>Halt it.</summary>
    [JsonStringEnumMemberName("pause")]
    Pause,

    /// <summary>Let it go on.</summary>
    [JsonStringEnumMemberName("resume")]
    Resume,

    /// <summary>End it.</summary>
    [JsonStringEnumMemberName("cancel")]
    Cancel,

    /// <summary>Change budgets.</summary>
    [JsonStringEnumMemberName("update_budget")]
    UpdateBudget,

    /// <summary>Change its dates.</summary>
    [JsonStringEnumMemberName("update_dates")]
    UpdateDates,

    /// <summary>Change packages.</summary>
    [JsonStringEnumMemberName("update_packages")]
    UpdatePackages,

    /// <summary>Add packages.</summary>
    [JsonStringEnumMemberName("add_packages")]
    AddPackages,

    /// <summary>Send creatives.</summary>
    [JsonStringEnumMemberName("sync_creatives")]
    SyncCreatives,
}
