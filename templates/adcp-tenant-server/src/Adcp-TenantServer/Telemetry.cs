using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Tenancy.Diagnostics;

namespace Adcp_TenantServer;

/// <summary>Sends metrics, traces and logs to a collector, where the environment names one.</summary>
internal static class Telemetry
{
    private const string McpDuration = "mcp.server.operation.duration";

    // What else the MCP SDK says of an operation is its caller's text: one caller could fill the instrument for all.
    private static readonly string[] McpTags = ["mcp.method.name", "mcp.protocol.version", "error.type", "rpc.response.status_code"];

    /// <summary>Turns telemetry on where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set; docs/operate.md lists what it says.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        // Where nobody reads the metrics, nothing is measured.
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
            {
                if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_SERVICE_NAME"]))
                {
                    resource.AddService(builder.Environment.ApplicationName);
                }
            })
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(TenancyTelemetry.MeterName, TenancyTelemetry.McpName);
                metrics.AddAspNetCoreInstrumentation();
                metrics.AddView(McpDuration, new MetricStreamConfiguration { TagKeys = McpTags });
            });
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            // The scopes have the tenant, the caller's hash and the tool.
            logging.IncludeScopes = true;
            logging.IncludeFormattedMessage = true;
        });
        telemetry
            .WithTracing(tracing =>
            {
                tracing.AddSource(TenancyTelemetry.ActivitySourceName, TenancyTelemetry.McpName);
                tracing.AddAspNetCoreInstrumentation();
            })
            .UseOtlpExporter();
    }
}
