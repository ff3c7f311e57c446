using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Tenancy.Configuration;

/// <summary>Reads a setting whole from the highest source that has it, where ASP.NET Core would merge lists by index.</summary>
internal static class ConfigurationTree
{
    /// <summary>The setting as JSON: objects, lists, and strings for scalars. Null where no source has it.</summary>
    public static JsonNode? Read(IConfiguration configuration, string path)
    {
        if (configuration is not IConfigurationRoot root)
        {
            throw new ArgumentException("The configuration must be the root of the application's configuration.", nameof(configuration));
        }

        foreach (var provider in root.Providers.Reverse())
        {
            if (Read(provider, path) is { } node)
            {
                return node;
            }
        }

        return null;
    }

    private static JsonNode? Read(IConfigurationProvider provider, string path)
    {
        var keys = provider.GetChildKeys([], path).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        if (keys.Length == 0)
        {
            return provider.TryGet(path, out var scalar) && scalar is not null ? Scalar(scalar) : null;
        }

        return IsList(keys)
            ? new JsonArray([.. keys.OrderBy(Index).Select(key => Read(provider, ConfigurationPath.Combine(path, key)))])
            : new JsonObject(keys.Select(key => KeyValuePair.Create(key, Read(provider, ConfigurationPath.Combine(path, key)))));
    }

    // The JSON provider writes the literals true and false as "True" and "False"; a string "true" stays as it was.
    private static JsonValue Scalar(string scalar) =>
        scalar switch
        {
            "True" => JsonValue.Create(true),
            "False" => JsonValue.Create(false),
            _ => JsonValue.Create(scalar),
        };

    private static bool IsList(string[] keys) => keys.All(key => Index(key) >= 0);

    private static int Index(string key) => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;
}
