using ModelContextProtocol.Protocol;

namespace McpFixtures.Handlers;

/// <summary>The smallest files of their kinds.</summary>
internal static class Samples
{
    public const string ImageType = "image/png";

    // One grey pixel.
    public static byte[] Image { get; } =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==");

    // Two samples of silence.
    public static byte[] Audio { get; } = Convert.FromBase64String("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA==");

    public static ImageContentBlock ImageBlock() => ImageContentBlock.FromBytes(Image, ImageType);

    public static EmbeddedResourceBlock Embed(string uri, string text, string type = "text/plain") =>
        new()
        {
            Resource = new TextResourceContents
            {
                Uri = uri,
                MimeType = type,
                Text = text,
            },
        };
}
