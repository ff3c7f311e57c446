using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Asks what media buys have delivered.</summary>
public record GetMediaBuyDeliveryRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets the account whose media buys are wanted; all accounts of the caller where it is left out.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets the media buys; all where it is left out.</summary>
    [MinLength(1)]
    [MaxLength(1000)]
    public IReadOnlyList<string>? MediaBuyIds { get; init; }

    /// <summary>Gets where those that are wanted stand: one status or several. Default: any.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    [JsonConverter(typeof(OneOrMany<MediaBuyStatus>))]
    public IReadOnlyList<MediaBuyStatus>? StatusFilter { get; init; }

    /// <summary>Gets the first day.</summary>
    [RegularExpression(WirePatterns.Date)]
    public string? StartDate { get; init; }

    /// <summary>Gets the day after the last. Either both days are given, or none.</summary>
    [RegularExpression(WirePatterns.Date)]
    public string? EndDate { get; init; }

    /// <summary>Gets whether each day of a package is wanted. Default: the sum alone.</summary>
    public bool? IncludePackageDailyBreakdown { get; init; }

    /// <summary>Says whether media buys of a status are wanted.</summary>
    public bool Wants(MediaBuyStatus status) => StatusFilter?.Contains(status) is not false;
}

/// <summary>What media buys have delivered.</summary>
public sealed record GetMediaBuyDeliveryResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets the time that is reported.</summary>
    public required ReportingPeriod ReportingPeriod { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    [RegularExpression(WirePatterns.Currency)]
    public required string Currency { get; init; }

    /// <summary>Gets the media buys.</summary>
    public required IReadOnlyList<MediaBuyDelivery> MediaBuyDeliveries { get; init; }

    /// <summary>Gets what could not be answered, such as ids that the caller has no media buy of.</summary>
    public IReadOnlyList<ErrorEntry>? Errors { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}

/// <summary>The time that is reported.</summary>
public sealed record ReportingPeriod
{
    /// <summary>Gets when it begins.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>Gets when it ends.</summary>
    public required DateTimeOffset End { get; init; }
}

/// <summary>What a media buy has delivered.</summary>
public sealed record MediaBuyDelivery : AdcpObject
{
    /// <summary>Gets the media buy.</summary>
    public required string MediaBuyId { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required MediaBuyStatus Status { get; init; }

    /// <summary>Gets the sum of its packages.</summary>
    public required DeliveryMetrics Totals { get; init; }

    /// <summary>Gets each package.</summary>
    public required IReadOnlyList<PackageDelivery> ByPackage { get; init; }
}

/// <summary>What was delivered.</summary>
public record DeliveryMetrics : AdcpObject
{
    /// <summary>Gets how often ads were shown.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Impressions { get; init; }

    /// <summary>Gets how often they were clicked.</summary>
    [Range(0, double.MaxValue)]
    public decimal? Clicks { get; init; }

    /// <summary>Gets what it cost.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Spend { get; init; }
}

/// <summary>What a package has delivered.</summary>
public sealed record PackageDelivery : DeliveryMetrics
{
    /// <summary>Gets the package.</summary>
    public required string PackageId { get; init; }

    /// <summary>Gets the price's model.</summary>
    public required string PricingModel { get; init; }

    /// <summary>Gets the price.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Rate { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    [RegularExpression(WirePatterns.Currency)]
    public required string Currency { get; init; }

    /// <summary>Gets each day, where it was asked for.</summary>
    public IReadOnlyList<DailyDelivery>? DailyBreakdown { get; init; }
}

/// <summary>What was delivered on a day.</summary>
public sealed record DailyDelivery : AdcpObject
{
    /// <summary>Gets the day.</summary>
    [RegularExpression(WirePatterns.Date)]
    public required string Date { get; init; }

    /// <summary>Gets how often ads were shown.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Impressions { get; init; }

    /// <summary>Gets what it cost.</summary>
    [Range(0, double.MaxValue)]
    public required decimal Spend { get; init; }
}
