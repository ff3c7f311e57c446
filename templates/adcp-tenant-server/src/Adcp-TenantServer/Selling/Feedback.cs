using System.Text.Json;
using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

/// <summary>How well a media buy does, as its buyer measured it. It belongs to the media buy, and lies in its account.</summary>
[Document("feedback")]
public sealed record Feedback : TenantDocument
{
    public required string MediaBuyId { get; init; }

    public string? PackageId { get; init; }

    public string? CreativeId { get; init; }

    public required DateTimeOffset Start { get; init; }

    public required DateTimeOffset End { get; init; }

    public required decimal PerformanceIndex { get; init; }

    public required string MetricType { get; init; }

    public required string Source { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public static Feedback Of(ProvidePerformanceFeedbackRequest request, DateTimeOffset now) =>
        new()
        {
            MediaBuyId = request.MediaBuyId,
            PackageId = request.PackageId,
            CreativeId = request.CreativeId,
            Start = request.MeasurementPeriod.Start,
            End = request.MeasurementPeriod.End,
            PerformanceIndex = request.PerformanceIndex,
            MetricType = request.MetricType ?? "overall_performance",
            Source = request.FeedbackSource ?? "buyer_attribution",
            ReceivedAt = now,
        };
}
