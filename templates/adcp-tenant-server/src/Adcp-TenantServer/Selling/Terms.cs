using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>The terms of measurement that the sample agrees to: windows of up to seven days, 5 percent of variance.</summary>
internal static class Terms
{
    private const decimal LeastVariance = 5;
    private static readonly string[] Windows = ["live", "c3", "c7"];
    private static readonly string[] Remedies = ["additional_delivery", "credit"];

    public static void Check(MeasurementTerms? terms, string field)
    {
        var billing = terms?.BillingMeasurement;
        if (billing?.MeasurementWindow is { } window && !Windows.Contains(window))
        {
            throw new AdcpException(
                AdcpError.TermsRejected,
                $"measurement_window must be one of {string.Join(", ", Windows)}.",
                $"{field}.billing_measurement.measurement_window"
            );
        }

        if (billing?.MaxVariancePercent < LeastVariance)
        {
            throw new AdcpException(
                AdcpError.TermsRejected,
                $"max_variance_percent must be {LeastVariance} at least.",
                $"{field}.billing_measurement.max_variance_percent"
            );
        }

        if (terms?.MakegoodPolicy?.AvailableRemedies.Except(Remedies).Any() is true)
        {
            throw new AdcpException(
                AdcpError.TermsRejected,
                $"available_remedies are {string.Join(" and ", Remedies)}.",
                $"{field}.makegood_policy.available_remedies"
            );
        }
    }
}
