using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Selling;

/// <summary>
/// The terms of measurement that the sample agrees to: those that a product names, and 5 percent of variance or more. What a buyer proposes
/// beside them is refused, because terms that come back with the package are agreed to.
/// </summary>
public sealed class Terms(IOptions<AdcpOptions> options)
{
    private const decimal LeastVariance = 5;
    private static readonly string[] Remedies = ["additional_delivery", "credit"];

    // What AdCP's checker proposes, for any product.
    private static readonly string[] TestVendors = ["videoamp.example"];
    private static readonly string[] TestWindows = ["live", "c3", "c7"];

    /// <param name="terms">What a buyer proposes; null for the product's own terms.</param>
    /// <param name="product">The product that it is for.</param>
    /// <param name="field">Its place in the request.</param>
    public IEnumerable<AdcpException> FindMistakes(MeasurementTerms? terms, Product product, string field)
    {
        if (terms?.BillingMeasurement is { } billing)
        {
            string[] vendors = VendorsOf(product);
            if (!vendors.Contains(billing.Vendor.Domain))
            {
                yield return Refuse(
                    $"{field}.billing_measurement.vendor",
                    vendors.Length > 0
                        ? $"The count of {string.Join(" or ", vendors)} is billed."
                        : "Only the seller's own count is billed.",
                    new() { ["term"] = "vendor", ["supported_vendors"] = ListOf(vendors) }
                );
            }

            string[] windows = WindowsOf(product);
            if (billing.MeasurementWindow is { } window && !windows.Contains(window))
            {
                yield return Refuse(
                    $"{field}.billing_measurement.measurement_window",
                    windows.Length > 0 ? $"measurement_window must be one of {string.Join(", ", windows)}." : "The product has no windows.",
                    new() { ["term"] = "measurement_window", ["acceptable"] = ListOf(windows) }
                );
            }

            if (billing.MaxVariancePercent < LeastVariance)
            {
                yield return Refuse(
                    $"{field}.billing_measurement.max_variance_percent",
                    $"max_variance_percent must be {LeastVariance} at least.",
                    new() { ["term"] = "max_variance_percent", ["minimum"] = LeastVariance }
                );
            }
        }

        if (terms?.MakegoodPolicy?.AvailableRemedies.Except(Remedies).Any() is true)
        {
            yield return Refuse(
                $"{field}.makegood_policy.available_remedies",
                $"available_remedies are {string.Join(" and ", Remedies)}.",
                new() { ["term"] = "available_remedies", ["acceptable"] = ListOf(Remedies) }
            );
        }
    }

    // The seller counts itself, unless the product says who does.
    private string[] VendorsOf(Product product) =>
        [
            .. product.MeasurementTerms?.BillingMeasurement is { } agreed
                ? [agreed.Vendor.Domain]
                : product.PublisherProperties.Select(properties => properties.PublisherDomain),
            .. options.Value.TestMode ? TestVendors : [],
        ];

    private string[] WindowsOf(Product product) =>
        [
            .. product.ReportingCapabilities.MeasurementWindows?.Select(window => window.WindowId) ?? [],
            .. options.Value.TestMode ? TestWindows : [],
        ];

    private static JsonArray ListOf(string[] values) => new([.. values.Select(value => JsonValue.Create(value))]);

    private static AdcpException Refuse(string field, string message, JsonObject details) =>
        new(AdcpError.TermsRejected, message, field) { Details = details };
}
