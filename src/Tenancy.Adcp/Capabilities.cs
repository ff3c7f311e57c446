using System.ComponentModel;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Tells what a seller can do: what its platform says of itself, and what its tools make true.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822", Justification = "A tool is a method of an object.")]
internal sealed class Capabilities
{
    public const int MajorVersion = 3;

    /// <summary>The tool that a server has in test mode only.</summary>
    public const string TestController = "comply_test_controller";

    private static readonly string[] MediaBuyTools = ["get_products", "create_media_buy"];

    [AdcpTool("get_adcp_capabilities")]
    [Description("Tells what this seller can do: protocols, prices, channels.")]
    public Task<GetAdcpCapabilitiesResponse> GetAsync(
        GetAdcpCapabilitiesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var tools = context.ToolNames;
        var profile = context.FindPlatform<ISellerProfile>()?.Profile ?? new();
        var sellsMedia = MediaBuyTools.All(tools.Contains);
        var isTest = tools.Contains(TestController) && profile.TestScenarios.Count > 0;
        return Task.FromResult(
            new GetAdcpCapabilitiesResponse
            {
                Adcp = new()
                {
                    MajorVersions = [MajorVersion],
                    Idempotency = new() { Supported = true, ReplayTtlSeconds = (int)KeyedCalls.ReplayTime.TotalSeconds },
                },
                SupportedProtocols = ["media_buy"],
                Account = new() { SupportedBilling = profile.Billing },
                MediaBuy = sellsMedia && Wants(request, "media_buy") ? MediaBuy(profile) : null,
                ComplianceTesting = isTest ? new() { Scenarios = profile.TestScenarios } : null,
                Specialisms = sellsMedia && profile.Specialisms.Count > 0 ? profile.Specialisms : null,
            }
        );
    }

    private static bool Wants(GetAdcpCapabilitiesRequest request, string protocol) => request.Protocols?.Contains(protocol) is not false;

    private static MediaBuyCapabilities MediaBuy(SellerProfile profile) =>
        new()
        {
            SupportedPricingModels = profile.PricingModels.Count > 0 ? profile.PricingModels : null,
            Portfolio =
                profile.PublisherDomains.Count > 0
                    ? new()
                    {
                        PublisherDomains = profile.PublisherDomains,
                        PrimaryChannels = profile.Channels.Count > 0 ? profile.Channels : null,
                    }
                    : null,
        };
}
