using System.Globalization;

namespace Tenancy.Adcp;

/// <summary>The days that a buyer wants to be told of: the first one, and the day after the last.</summary>
public sealed record ReportingDays(DateOnly Start, DateOnly End)
{
    /// <summary>Reads the days of a request; null where it names none, which is all there is.</summary>
    /// <exception cref="AdcpException">It names one of the two, no days, or the wrong way round.</exception>
    public static ReportingDays? Of(GetMediaBuyDeliveryRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request is { StartDate: null, EndDate: null })
        {
            return null;
        }

        var days = new ReportingDays(Day(request.StartDate, "start_date"), Day(request.EndDate, "end_date"));
        return days.Start < days.End
            ? days
            : throw new AdcpException(
                AdcpError.InvalidRequest,
                "end_date is the day after the last: it must be after start_date.",
                "end_date"
            );
    }

    /// <summary>Says whether a day is one of them.</summary>
    public bool Contain(DateOnly day) => Start <= day && day < End;

    /// <summary>Refuses days for a product that reports all of its time only.</summary>
    /// <exception cref="AdcpException">It does.</exception>
    public static void Check(ReportingDays? days, Product product)
    {
        ArgumentNullException.ThrowIfNull(product);
        if (days is not null && product.ReportingCapabilities.DateRangeSupport == "lifetime_only")
        {
            throw new AdcpException(
                AdcpError.UnsupportedFeature,
                $"{product.ProductId} is reported for all of its time only: leave start_date and end_date out.",
                "start_date"
            );
        }
    }

    private static DateOnly Day(string? text, string field) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day
            : throw new AdcpException(
                AdcpError.InvalidRequest,
                text is null ? "start_date and end_date are given both, or none." : $"{text} is no day: write it as 2026-01-31.",
                field
            );
}
