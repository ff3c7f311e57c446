using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Asks for the creative formats that a seller takes.</summary>
public record ListCreativeFormatsRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the formats that are wanted; all where it is left out.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? FormatIds { get; init; }

    /// <summary>Gets a part of the names that are wanted.</summary>
    public string? NameSearch { get; init; }

    /// <summary>Gets the kinds of asset, one of which a format has to take.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? AssetTypes { get; init; }

    /// <summary>Gets the most pixels that a part may be wide.</summary>
    public int? MaxWidth { get; init; }

    /// <summary>Gets the most pixels that a part may be high.</summary>
    public int? MaxHeight { get; init; }

    /// <summary>Gets the least pixels that a part has to be wide.</summary>
    public int? MinWidth { get; init; }

    /// <summary>Gets the least pixels that a part has to be high.</summary>
    public int? MinHeight { get; init; }

    /// <summary>Gets whether formats are wanted that fit themselves to their place, or the others.</summary>
    public bool? IsResponsive { get; init; }

    /// <summary>Gets the level of accessibility that is the least: <c>A</c>, <c>AA</c> or <c>AAA</c>.</summary>
    [AllowedValues("A", "AA", "AAA", null)]
    public string? WcagLevel { get; init; }

    /// <summary>Gets the places of a disclosure, all of which are needed.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? DisclosurePositions { get; init; }

    /// <summary>Gets how long a disclosure is shown, all of which is needed.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? DisclosurePersistence { get; init; }

    /// <summary>Gets the formats, one of which it has to make.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? OutputFormatIds { get; init; }

    /// <summary>Gets the formats, one of which it has to be made from.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? InputFormatIds { get; init; }

    /// <summary>Gets the account.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>The creative formats that a seller takes.</summary>
public sealed record ListCreativeFormatsResponse : AdcpResponse, ISandboxResponse
{
    /// <inheritdoc/>
    public bool? Sandbox { get; set; }

    /// <summary>Gets the formats.</summary>
    public required IReadOnlyList<CreativeFormat> Formats { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }
}

/// <summary>A creative format.</summary>
public sealed record CreativeFormat : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public required FormatId FormatId { get; init; }

    /// <summary>Gets its name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets what it is.</summary>
    public string? Description { get; init; }

    /// <summary>Gets what a creative consists of.</summary>
    public IReadOnlyList<FormatAsset>? Assets { get; init; }

    /// <summary>Gets what is shown of it, with its measures.</summary>
    [MinLength(1)]
    public IReadOnlyList<FormatRender>? Renders { get; init; }

    /// <summary>Gets how accessible creatives of it are.</summary>
    public FormatAccessibility? Accessibility { get; init; }

    /// <summary>Gets where a disclosure can be shown, and for how long.</summary>
    public IReadOnlyList<DisclosureCapability>? DisclosureCapabilities { get; init; }

    /// <summary>Gets the formats that it can be made from.</summary>
    public IReadOnlyList<FormatId>? InputFormatIds { get; init; }

    /// <summary>Gets the formats that can be made from it.</summary>
    public IReadOnlyList<FormatId>? OutputFormatIds { get; init; }
}

/// <summary>What is shown of a creative.</summary>
public sealed record FormatRender : AdcpObject
{
    /// <summary>Gets what it is among the parts, such as <c>primary</c>.</summary>
    public string Role { get; init; } = "primary";

    /// <summary>Gets its measures.</summary>
    public required FormatDimensions Dimensions { get; init; }
}

/// <summary>How large something is, in pixels.</summary>
public sealed record FormatDimensions : AdcpObject
{
    /// <summary>Gets the width.</summary>
    public decimal? Width { get; init; }

    /// <summary>Gets the height.</summary>
    public decimal? Height { get; init; }

    /// <summary>Gets the least width, where it fits itself to its place.</summary>
    public decimal? MinWidth { get; init; }

    /// <summary>Gets the least height, where it fits itself to its place.</summary>
    public decimal? MinHeight { get; init; }

    /// <summary>Gets the most width, where it fits itself to its place.</summary>
    public decimal? MaxWidth { get; init; }

    /// <summary>Gets the most height, where it fits itself to its place.</summary>
    public decimal? MaxHeight { get; init; }

    /// <summary>Gets in which directions it fits itself to its place.</summary>
    public Responsiveness? Responsive { get; init; }
}

/// <summary>In which directions something fits itself to its place.</summary>
public sealed record Responsiveness : AdcpObject
{
    /// <summary>Gets whether its width does.</summary>
    public required bool Width { get; init; }

    /// <summary>Gets whether its height does.</summary>
    public required bool Height { get; init; }
}

/// <summary>How accessible creatives of a format are.</summary>
public sealed record FormatAccessibility : AdcpObject
{
    /// <summary>Gets the level of WCAG: <c>A</c>, <c>AA</c> or <c>AAA</c>.</summary>
    public string? WcagLevel { get; init; }
}

/// <summary>Where a disclosure can be shown, and for how long.</summary>
public sealed record DisclosureCapability : AdcpObject
{
    /// <summary>Gets the place, such as <c>footer</c>.</summary>
    public required string Position { get; init; }

    /// <summary>Gets for how long: <c>continuous</c>, <c>initial</c> or <c>flexible</c>.</summary>
    public required IReadOnlyList<string> Persistence { get; init; }
}

/// <summary>A part of a creative.</summary>
public sealed record FormatAsset : AdcpObject
{
    /// <summary>Gets how it is given: <c>individual</c>.</summary>
    public required string ItemType { get; init; }

    /// <summary>Gets its name in the creative.</summary>
    public required string AssetId { get; init; }

    /// <summary>Gets what it is, such as <c>image</c>, <c>video</c> or <c>text</c>.</summary>
    public required string AssetType { get; init; }

    /// <summary>Gets whether it is needed.</summary>
    public required bool Required { get; init; }
}

/// <summary>Sends creatives.</summary>
public record SyncCreativesRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new request; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the account that the creatives are for.</summary>
    public required AccountReference Account { get; init; }

    /// <summary>Gets the creatives.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public required IReadOnlyList<CreativeAsset> Creatives { get; init; }

    /// <summary>Gets which of <see cref="Creatives"/> are kept, by their ids. Default: all.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? CreativeIds { get; init; }

    /// <summary>Gets which packages they run in: creatives of this request, or such as are there already.</summary>
    [MinLength(1)]
    [MaxLength(1000)]
    public IReadOnlyList<PackageAssignment>? Assignments { get; init; }

    /// <summary>Gets whether creatives that are not in the request are archived.</summary>
    public bool? DeleteMissing { get; init; }

    /// <summary>
    /// Gets whether one creative that cannot be kept refuses all (<c>strict</c>), or itself alone (<c>lenient</c>). Default: strict.
    /// </summary>
    [AllowedValues("strict", "lenient", null)]
    public string? ValidationMode { get; init; }

    /// <summary>Gets whether nothing is to be changed.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>A creative.</summary>
public sealed record CreativeAsset : AdcpObject
{
    /// <summary>Gets the buyer's id of it.</summary>
    public required string CreativeId { get; init; }

    /// <summary>Gets its name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets its format.</summary>
    public required FormatId FormatId { get; init; }

    /// <summary>Gets what it consists of, by the names that the format gives.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Assets { get; init; }

    /// <summary>Gets words to find it by.</summary>
    [MaxLength(100)]
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>A creative that is to run in a package.</summary>
public sealed record PackageAssignment : AdcpObject
{
    /// <summary>Gets the creative.</summary>
    public required string CreativeId { get; init; }

    /// <summary>Gets the package.</summary>
    public required string PackageId { get; init; }

    /// <summary>Gets its share among the package's creatives; 0 halts it.</summary>
    [Range(0.0, 100.0)]
    public decimal? Weight { get; init; }
}

/// <summary>What became of the creatives.</summary>
public sealed record SyncCreativesResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets each creative.</summary>
    public required IReadOnlyList<CreativeResult> Creatives { get; init; }

    /// <summary>Gets whether nothing was changed.</summary>
    public bool? DryRun { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}

/// <summary>What became of a creative.</summary>
public sealed record CreativeResult : AdcpObject
{
    /// <summary>Gets the creative.</summary>
    public required string CreativeId { get; init; }

    /// <summary>Gets what was done: <c>created</c>, <c>updated</c>, <c>unchanged</c>, <c>failed</c> or <c>deleted</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Gets where it stands.</summary>
    public CreativeStatus? Status { get; init; }

    /// <summary>Gets the packages that it runs in.</summary>
    public IReadOnlyList<string>? AssignedTo { get; init; }

    /// <summary>Gets why it does not run in a package, by package.</summary>
    public IReadOnlyDictionary<string, string>? AssignmentErrors { get; init; }

    /// <summary>Gets why it was not kept.</summary>
    public IReadOnlyList<ErrorEntry>? Errors { get; init; }
}

/// <summary>Asks for creatives of the caller.</summary>
public record ListCreativesRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the account whose creatives are wanted; all accounts of the caller where it is left out.</summary>
    public AccountReference? Account { get; init; }

    IReadOnlyList<AccountReference>? IAccountRequest.Among => Filters?.Accounts;

    /// <summary>Gets which creatives are wanted.</summary>
    public CreativeFilters? Filters { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>Which creatives are wanted.</summary>
public sealed record CreativeFilters : AdcpObject
{
    /// <summary>Gets the ids.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? CreativeIds { get; init; }

    /// <summary>Gets where they stand.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<CreativeStatus>? Statuses { get; init; }

    /// <summary>Gets a part of their names.</summary>
    public string? NameContains { get; init; }

    /// <summary>Gets words, all of which they have.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Gets words, one of which they have.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? TagsAny { get; init; }

    /// <summary>Gets the formats, one of which they have.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? FormatIds { get; init; }

    /// <summary>Gets after when they came.</summary>
    public DateTimeOffset? CreatedAfter { get; init; }

    /// <summary>Gets before when they came.</summary>
    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary>Gets after when they were last changed.</summary>
    public DateTimeOffset? UpdatedAfter { get; init; }

    /// <summary>Gets before when they were last changed.</summary>
    public DateTimeOffset? UpdatedBefore { get; init; }

    /// <summary>Gets the accounts, one of which they lie in. The handler reads no others; see <see cref="IAccountRequest"/>.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<AccountReference>? Accounts { get; init; }

    /// <summary>Gets the packages, one of which they run in.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? AssignedToPackages { get; init; }

    /// <summary>Gets the media buys, one of which they run in.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? MediaBuyIds { get; init; }

    /// <summary>Gets whether they run in no package, or in one.</summary>
    public bool? Unassigned { get; init; }

    /// <summary>Gets whether they were shown, or never.</summary>
    public bool? HasServed { get; init; }

    /// <summary>Gets whether they have parts that change with whoever sees them, or none.</summary>
    public bool? HasVariables { get; init; }

    /// <summary>Gets the concepts, one of which they belong to.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? ConceptIds { get; init; }
}

/// <summary>Creatives of the caller.</summary>
public sealed record ListCreativesResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets how many there are.</summary>
    public required QuerySummary QuerySummary { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public required PaginationResponse Pagination { get; init; }

    /// <summary>Gets the creatives.</summary>
    public required IReadOnlyList<CreativeSummary> Creatives { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}

/// <summary>How many there are.</summary>
public sealed record QuerySummary
{
    /// <summary>Gets how many match, on all pages.</summary>
    public required int TotalMatching { get; init; }

    /// <summary>Gets how many are in this answer.</summary>
    public required int Returned { get; init; }
}

/// <summary>A creative that the seller has.</summary>
public sealed record CreativeSummary : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public required string CreativeId { get; init; }

    /// <summary>Gets its name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets its format.</summary>
    public required FormatId FormatId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required CreativeStatus Status { get; init; }

    /// <summary>Gets when it came.</summary>
    public required DateTimeOffset CreatedDate { get; init; }

    /// <summary>Gets when it was last changed.</summary>
    public required DateTimeOffset UpdatedDate { get; init; }

    /// <summary>Gets words to find it by.</summary>
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>Where a creative stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CreativeStatus>))]
public enum CreativeStatus
{
    /// <summary>It is being read.</summary>
    [JsonStringEnumMemberName("processing")]
    Processing,

    /// <summary>It waits for a review.</summary>
    [JsonStringEnumMemberName("pending_review")]
    PendingReview,

    /// <summary>It may run.</summary>
    [JsonStringEnumMemberName("approved")]
    Approved,

    /// <summary>It may not run.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>The buyer put it away.</summary>
    [JsonStringEnumMemberName("archived")]
    Archived,
}
