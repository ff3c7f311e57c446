using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Tenancy.Adcp;

/// <summary>Tells how well a media buy does, as the buyer measures it.</summary>
public record ProvidePerformanceFeedbackRequest : AdcpRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new request; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the media buy.</summary>
    [MinLength(1)]
    public required string MediaBuyId { get; init; }

    /// <summary>Gets the time that was measured.</summary>
    public required DateTimeRange MeasurementPeriod { get; init; }

    /// <summary>Gets how well it did: 0 is of no use, 1 is as expected, more is better.</summary>
    [Range(0, Amounts.Most)]
    public required decimal PerformanceIndex { get; init; }

    /// <summary>Gets the package; the whole media buy where it is left out.</summary>
    [MinLength(1)]
    public string? PackageId { get; init; }

    /// <summary>Gets the creative; all where it is left out.</summary>
    [MinLength(1)]
    public string? CreativeId { get; init; }

    /// <summary>Gets what was measured. Default: <c>overall_performance</c>.</summary>
    [AllowedValues(
        "overall_performance",
        "conversion_rate",
        "brand_lift",
        "click_through_rate",
        "completion_rate",
        "viewability",
        "brand_safety",
        "cost_efficiency",
        null
    )]
    public string? MetricType { get; init; }

    /// <summary>Gets who measured. Default: <c>buyer_attribution</c>.</summary>
    [AllowedValues("buyer_attribution", "third_party_measurement", "platform_analytics", "verification_partner", null)]
    public string? FeedbackSource { get; init; }
}

/// <summary>That the feedback was taken.</summary>
public sealed record ProvidePerformanceFeedbackResponse : AdcpResponse, ISandboxResponse
{
    /// <summary>Gets whether it was.</summary>
    public required bool Success { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }
}
