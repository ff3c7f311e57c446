using System.Text.Json;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>The terms of measurement that the sample agrees to: windows of up to seven days, and 5 percent of variance at least.</summary>
internal static class MeasurementTerms
{
    private const decimal LeastVariance = 5;
    private static readonly string[] Windows = ["live", "c3", "c7"];

    public static void Check(JsonElement? terms, string field)
    {
        if (
            terms is not { ValueKind: JsonValueKind.Object } given
            || !given.TryGetProperty("billing_measurement", out var billing)
            || billing.ValueKind != JsonValueKind.Object
        )
        {
            return;
        }

        if (
            billing.TryGetProperty("measurement_window", out var window)
            && window.ValueKind == JsonValueKind.String
            && !Windows.Contains(window.GetString())
        )
        {
            throw new AdcpException(
                AdcpError.TermsRejected,
                $"measurement_window must be one of {string.Join(", ", Windows)}.",
                $"{field}/billing_measurement/measurement_window"
            );
        }

        if (
            billing.TryGetProperty("max_variance_percent", out var variance)
            && variance.TryGetDecimal(out var percent)
            && percent < LeastVariance
        )
        {
            throw new AdcpException(
                AdcpError.TermsRejected,
                $"max_variance_percent must be {LeastVariance} at least.",
                $"{field}/billing_measurement/max_variance_percent"
            );
        }
    }
}
