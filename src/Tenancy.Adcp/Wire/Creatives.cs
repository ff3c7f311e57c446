using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Asks for the creative formats that a seller takes.</summary>
public sealed record ListCreativeFormatsRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the formats that are wanted; all where it is left out.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? FormatIds { get; init; }

    /// <summary>Gets a part of the names that are wanted.</summary>
    public string? NameSearch { get; init; }

    /// <summary>Gets the account.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>The creative formats that a seller takes.</summary>
public sealed record ListCreativeFormatsResponse : AdcpResponse
{
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
public sealed record SyncCreativesRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
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

    /// <summary>Gets which packages they run in.</summary>
    [MinLength(1)]
    [MaxLength(1000)]
    public IReadOnlyList<PackageAssignment>? Assignments { get; init; }

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
}

/// <summary>What became of the creatives.</summary>
public sealed record SyncCreativesResponse : AdcpResponse
{
    /// <summary>Gets each creative.</summary>
    public required IReadOnlyList<CreativeResult> Creatives { get; init; }

    /// <summary>Gets whether nothing was changed.</summary>
    public bool? DryRun { get; init; }
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
}

/// <summary>Asks for creatives of the caller.</summary>
public sealed record ListCreativesRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the account whose creatives are wanted; all accounts of the caller where it is left out.</summary>
    public AccountReference? Account { get; init; }

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
}

/// <summary>Creatives of the caller.</summary>
public sealed record ListCreativesResponse : AdcpResponse
{
    /// <summary>Gets how many there are.</summary>
    public required QuerySummary QuerySummary { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public required PaginationResponse Pagination { get; init; }

    /// <summary>Gets the creatives.</summary>
    public required IReadOnlyList<CreativeSummary> Creatives { get; init; }
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
