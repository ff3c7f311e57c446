using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Adcp;

/// <summary>How AdCP's types are written as JSON: for files and databases of a seller that keep them as they are on the wire.</summary>
public static class AdcpJsonOptions
{
    /// <summary>
    /// Gets the options: names in snake case, exact in case and type, times with their offset, and nothing for what is null. They cannot be
    /// changed; types of one's own are read and written by the same rules.
    /// </summary>
    public static JsonSerializerOptions Default { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(AdcpJson.Default.Options)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(AdcpJson.Default, new DefaultJsonTypeInfoResolver()),
        };
        options.MakeReadOnly();
        return options;
    }
}
