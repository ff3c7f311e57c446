using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Resources of each kind.</summary>
internal sealed class Resources
{
    [McpServerResource(UriTemplate = "test://static-text", Name = "static-text", MimeType = "text/plain"), Description("A text.")]
    public static string Text() => "This is the content of the static text resource.";

    [
        McpServerResource(UriTemplate = "test://static-binary", Name = "static-binary", MimeType = Samples.ImageType),
        Description("An image.")
    ]
    public static ResourceContents Image() => BlobResourceContents.FromBytes(Samples.Image, "test://static-binary", Samples.ImageType);

    [
        McpServerResource(UriTemplate = "test://watched-resource", Name = "watched-resource", MimeType = "text/plain"),
        Description("A text that is subscribed to.")
    ]
    public static string Watched() => "This is watched.";

    [
        McpServerResource(UriTemplate = "test://template/{id}/data", Name = "template", MimeType = "application/json"),
        Description("A text for each id.")
    ]
    public static string Template(string id) =>
        JsonSerializer.Serialize(
            new
            {
                id,
                templateTest = true,
                data = $"Data for ID: {id}",
            }
        );
}
