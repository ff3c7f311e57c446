using Tenancy.Adcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>The creative formats of the sample products.</summary>
internal static class SampleFormats
{
    public const string Agent = "https://creative.adcontextprotocol.org";

    public static readonly FormatId Display = new() { AgentUrl = Agent, Id = "display_300x250" };
    public static readonly FormatId Native = new() { AgentUrl = Agent, Id = "native_standard" };

    public static IReadOnlyList<CreativeFormat> ForPublisher { get; } =
    [
        new()
        {
            FormatId = Display,
            Name = "Medium rectangle",
            Description = "An image of 300 by 250 pixels.",
            Assets = [Asset("image", "image")],
            Renders =
            [
                new()
                {
                    Dimensions = new() { Width = 300, Height = 250 },
                },
            ],
        },
    ];

    public static IReadOnlyList<CreativeFormat> ForRetailer { get; } =
    [
        new()
        {
            FormatId = Native,
            Name = "Native",
            Description = "A headline and an image, in the look of the shop.",
            Assets = [Asset("headline", "text"), Asset("image", "image")],
            Renders =
            [
                new()
                {
                    Dimensions = new()
                    {
                        Responsive = new() { Width = true, Height = true },
                    },
                },
            ],
        },
    ];

    private static FormatAsset Asset(string id, string type) =>
        new()
        {
            ItemType = "individual",
            AssetId = id,
            AssetType = type,
            Required = true,
        };
}
