using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Buys media.</summary>
public sealed record CreateMediaBuyRequest : AdcpRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new buy; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the account that pays.</summary>
    public required AccountReference Account { get; init; }

    /// <summary>Gets the brand that is advertised.</summary>
    public required BrandReference Brand { get; init; }

    /// <summary>Gets when it begins: a date and time (ISO 8601), or <c>asap</c>.</summary>
    [Description("ISO 8601 date and time, or asap.")]
    public required string StartTime { get; init; }

    /// <summary>Gets when it ends.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>Gets what is bought.</summary>
    public required IReadOnlyList<PackageRequest> Packages { get; init; }

    /// <summary>Gets the buyer's purchase order.</summary>
    public string? PoNumber { get; init; }
}

/// <summary>A part of a media buy: one product at one price.</summary>
public sealed record PackageRequest
{
    /// <summary>Gets the product.</summary>
    public required string ProductId { get; init; }

    /// <summary>Gets the price.</summary>
    public required string PricingOptionId { get; init; }

    /// <summary>Gets the budget, in the price's currency.</summary>
    public required decimal Budget { get; init; }
}

/// <summary>A media buy that was made.</summary>
public sealed record CreateMediaBuyResponse : AdcpResponse
{
    /// <summary>Gets the media buy's id.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets when the seller confirmed it.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Gets how often it was changed; 1 when it is new.</summary>
    public int Revision { get; init; } = 1;

    /// <summary>Gets what was bought.</summary>
    public required IReadOnlyList<Package> Packages { get; init; }
}

/// <summary>Asks for media buys of the caller.</summary>
public sealed record GetMediaBuysRequest : AdcpRequest
{
    /// <summary>Gets the account whose media buys are wanted.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets the ids that are wanted; all where it is left out.</summary>
    public IReadOnlyList<string>? MediaBuyIds { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>Media buys of the caller.</summary>
public sealed record GetMediaBuysResponse : AdcpResponse
{
    /// <summary>Gets the media buys.</summary>
    public required IReadOnlyList<MediaBuySummary> MediaBuys { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }
}

/// <summary>A media buy.</summary>
public sealed record MediaBuySummary
{
    /// <summary>Gets its id.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    public required string Currency { get; init; }

    /// <summary>Gets the budget of all packages.</summary>
    public required decimal TotalBudget { get; init; }

    /// <summary>Gets when it begins.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>Gets when it ends.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Gets when it was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Gets what was bought.</summary>
    public required IReadOnlyList<Package> Packages { get; init; }
}

/// <summary>A part of a media buy.</summary>
public sealed record Package
{
    /// <summary>Gets its id.</summary>
    public required string PackageId { get; init; }

    /// <summary>Gets the product.</summary>
    public required string ProductId { get; init; }

    /// <summary>Gets the price.</summary>
    public required string PricingOptionId { get; init; }

    /// <summary>Gets the budget.</summary>
    public required decimal Budget { get; init; }
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
