using System.ComponentModel;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Tells what a seller can do: what its platform says of itself, and what its tools make true.</summary>
internal sealed class Capabilities(KeyedCalls keyed, InventoryLists lists)
{
    public const int MajorVersion = 3;

    /// <summary>The tool that a server has in test mode only.</summary>
    public const string TestController = "comply_test_controller";

    /// <summary>The release that answers are of.</summary>
    public const string Release = "3.0";

    // A protocol is claimed where its tools are: one that buys, or whatever else it is for.
    private static readonly (string Protocol, string[] Tools)[] Protocols =
    [
        ("media_buy", ["get_products", "create_media_buy"]),
        ("signals", ["get_signals", "activate_signal"]),
        ("creative", ["list_creative_formats", "build_creative"]),
        ("governance", ["check_governance"]),
        ("brand", ["get_brand_identity"]),
        ("sponsored_intelligence", ["si_initiate_session", "si_send_message"]),
    ];

    // What a checker calls of whoever claims to sell media in one of AdCP's ways.
    private static readonly string[] SalesTools =
    [
        "get_products",
        "create_media_buy",
        "update_media_buy",
        "get_media_buys",
        "get_media_buy_delivery",
        "list_creative_formats",
        "sync_creatives",
    ];

    [AdcpTool("get_adcp_capabilities")]
    [Description("Tells what this seller can do: protocols, prices, channels.")]
    public async Task<GetAdcpCapabilitiesResponse> GetAsync(
        GetAdcpCapabilitiesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var tools = context.ToolNames;
        var profile = context.FindPlatform<ISellerProfile>()?.Profile ?? new();
        string[] protocols = [.. Protocols.Where(one => one.Tools.All(tools.Contains)).Select(one => one.Protocol)];
        var sellsMedia = protocols.Contains("media_buy");
        var isTest = tools.Contains(TestController) && profile.TestScenarios.Count > 0;
        string[] specialisms = [.. profile.Specialisms.Where(one => IsKept(one, tools))];
        var replayTime = await keyed.GetReplayTimeAsync();
        return new()
        {
            Adcp = new()
            {
                MajorVersions = [MajorVersion],
                SupportedVersions = [Release],
                Idempotency = new()
                {
                    Supported = true,
                    ReplayTtlSeconds = (int)replayTime.TotalSeconds,
                    AccountIdIsOpaque = true,
                },
            },
            SupportedProtocols = protocols,
            Account = new() { SupportedBilling = profile.Billing, Sandbox = profile.Sandbox },
            MediaBuy = sellsMedia && Wants(request, "media_buy") ? MediaBuy(profile) : null,
            ComplianceTesting = isTest ? new() { Scenarios = profile.TestScenarios } : null,
            Specialisms = sellsMedia && specialisms.Length > 0 ? specialisms : null,
        };
    }

    private static bool IsKept(string specialism, IReadOnlySet<string> tools) =>
        !specialism.StartsWith("sales-", StringComparison.Ordinal) || SalesTools.All(tools.Contains);

    private static bool Wants(GetAdcpCapabilitiesRequest request, string protocol) => request.Protocols?.Contains(protocol) is not false;

    private MediaBuyCapabilities MediaBuy(SellerProfile profile) =>
        new()
        {
            Features = lists.AreSupported ? new() { PropertyListFiltering = true } : null,
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
