using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Tenancy.Configuration;

/// <summary>Reads <see cref="TenancyOptions"/> from the configuration. What cannot be read is kept as a mistake and stops the start.</summary>
internal sealed class TenancyOptionsSetup(IConfiguration configuration, IHostEnvironment? environment = null) : IConfigureOptions<TenancyOptions>
{
    private static readonly string[] Known =
    [
        nameof(TenancyOptions.Identification), nameof(TenancyOptions.MultiTenant), nameof(TenancyOptions.BaseDomain), nameof(TenancyOptions.PublicUrl),
        nameof(TenancyOptions.DefaultTenant), nameof(TenancyOptions.Defaults), nameof(TenancyOptions.AnonymousTools),
        nameof(TenancyOptions.AllowedOrigins), nameof(TenancyOptions.Admin), nameof(TenancyOptions.Tenants),
        nameof(TenancyOptions.AcceptEmbeddedStore), nameof(TenancyOptions.AllowDevelopmentValues), nameof(TenancyOptions.AutoValidate),
        nameof(TenancyOptions.MaxRequestBodySize),
        nameof(TenancyOptions.RequestBodyTimeout),
        nameof(TenancyOptions.Validation),

        // Read by Tenancy.Adcp.
        "Adcp",
    ];

    public void Configure(TenancyOptions options)
    {
        var mistakes = new List<string>();
        foreach (var child in configuration.GetSection(TenancyOptions.SectionName).GetChildren())
        {
            if (!Known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                mistakes.Add($"{child.Path} is not a setting. The settings of this section are {string.Join(", ", Known)}.");
            }
        }

        options.Identification = ReadIdentification(options.Identification, mistakes);
        options.MultiTenant = ReadBoolean("Tenancy:MultiTenant", options.MultiTenant, mistakes);
        options.AcceptEmbeddedStore = ReadBoolean("Tenancy:AcceptEmbeddedStore", options.AcceptEmbeddedStore, mistakes);
        options.AllowDevelopmentValues = ReadBoolean("Tenancy:AllowDevelopmentValues", options.AllowDevelopmentValues, mistakes);
        options.AutoValidate = ReadBoolean("Tenancy:AutoValidate", options.AutoValidate, mistakes);
        options.MaxRequestBodySize = ReadNumber("Tenancy:MaxRequestBodySize", options.MaxRequestBodySize, mistakes);
        options.RequestBodyTimeout = ReadTime("Tenancy:RequestBodyTimeout", options.RequestBodyTimeout, mistakes);
        options.BaseDomain = ReadText("Tenancy:BaseDomain") ?? options.BaseDomain;
        options.PublicUrl = ReadText("Tenancy:PublicUrl") ?? options.PublicUrl;
        options.DefaultTenant = ReadText("Tenancy:DefaultTenant") ?? options.DefaultTenant;
        options.AnonymousTools = ReadList("Tenancy:AnonymousTools", mistakes) ?? options.AnonymousTools;
        options.AllowedOrigins = ReadList("Tenancy:AllowedOrigins", mistakes) ?? options.AllowedOrigins;
        options.Admin.Keys = ReadList("Tenancy:Admin:Keys", mistakes) ?? options.Admin.Keys;
        options.Admin.AllowedHosts = ReadList("Tenancy:Admin:AllowedHosts", mistakes) ?? options.Admin.AllowedHosts;
        ValidationOptionsReader.Read(configuration, options.Validation, mistakes);
        options.Validation.AllowHttpOnLoopback = environment?.IsDevelopment() ?? false;
        options.Tenants = ReadTenants(options.Tenants, mistakes);
        ReadDefaults(options.Defaults, mistakes);
        options.Mistakes = mistakes;
    }

    private TenantIdentification ReadIdentification(TenantIdentification fallback, List<string> mistakes)
    {
        const string Path = "Tenancy:Identification";
        if (ReadList(Path, mistakes) is not { } names)
        {
            return fallback;
        }

        var ways = TenantIdentification.None;
        foreach (var name in names)
        {
            var way = name.ToLowerInvariant() switch
            {
                "path" => TenantIdentification.Path,
                "host" or "subdomain" => TenantIdentification.Host,
                "header" => TenantIdentification.Header,
                "token" => TenantIdentification.Token,
                _ => TenantIdentification.None,
            };
            if (way == TenantIdentification.None)
            {
                mistakes.Add($"{Path} has '{name}', which is no way of identification: use any of path, host (or subdomain), header and token.");
            }

            ways |= way;
        }

        return ways;
    }

    private List<TenantRegistration> ReadTenants(IReadOnlyList<TenantRegistration> fallback, List<string> mistakes)
    {
        const string Path = "Tenancy:Tenants";
        switch (ConfigurationTree.Read(configuration, Path))
        {
            case null or JsonValue:
                return [.. fallback];
            case JsonArray seeds:
                return [.. seeds.Select((seed, index) => ReadWire($"{Path}:{index}", seed, ConfigurationJsonContext.Default.TenantWire, mistakes))
                    .OfType<TenantWire>().Select(wire => wire.ToRegistration())];
            default:
                mistakes.Add($"{Path} must be a list of tenants, such as [{{ \"id\": \"acme\" }}].");
                return [];
        }
    }

    private void ReadDefaults(TenantDefaults defaults, List<string> mistakes)
    {
        const string Path = "Tenancy:Defaults";
        if (ConfigurationTree.Read(configuration, Path) is { } node && ReadWire(Path, node, ConfigurationJsonContext.Default.DefaultsWire, mistakes) is { } wire)
        {
            defaults.Authentication = wire.Authentication ?? defaults.Authentication;
            defaults.Limits = wire.Limits ?? defaults.Limits;
            defaults.Platform = wire.Platform ?? defaults.Platform;
        }
    }

    private static T? ReadWire<T>(string path, JsonNode? node, JsonTypeInfo<T> type, List<string> mistakes)
        where T : class
    {
        try
        {
            return ConfiguredJson.Fit(node, type).Deserialize(type) ?? throw new JsonException("it is empty");
        }
        catch (JsonException exception)
        {
            mistakes.Add($"{path}{ToConfigurationPath(exception.Path)} cannot be read: {JsonErrors.Explain(exception)}");
            return null;
        }
    }

    private static string ToConfigurationPath(string? jsonPath) =>
        jsonPath is null or "$" ? "" : jsonPath[1..].Replace('.', ':').Replace("[", ":", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);

    private string? ReadText(string path) => configuration[path] is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    private bool ReadBoolean(string path, bool fallback, List<string> mistakes)
    {
        if (ReadText(path) is not { } text)
        {
            return fallback;
        }

        if (!bool.TryParse(text, out var value))
        {
            mistakes.Add($"{path} is '{text}': use true or false.");
        }

        return value;
    }

    private long ReadNumber(string path, long fallback, List<string> mistakes)
    {
        if (ReadText(path) is not { } text)
        {
            return fallback;
        }

        if (!long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var value))
        {
            mistakes.Add($"{path} is '{text}': use a whole number.");
        }

        return value;
    }

    private TimeSpan ReadTime(string path, TimeSpan fallback, List<string> mistakes)
    {
        if (ReadText(path) is not { } text)
        {
            return fallback;
        }

        if (!TimeSpan.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value))
        {
            mistakes.Add($"{path} is '{text}': use hours:minutes:seconds, such as 00:00:30.");
            return fallback;
        }

        return value;
    }

    /// <summary>A list, or one text with commas, as environment variables have it.</summary>
    private string[]? ReadList(string path, List<string> mistakes)
    {
        switch (ConfigurationTree.Read(configuration, path))
        {
            case null:
                return null;
            case JsonArray list when list.All(item => item is JsonValue):
                return [.. list.Select(item => item!.ToString())];
            case JsonValue text:
                return text.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            default:
                mistakes.Add($"{path} must be a list of texts.");
                return null;
        }
    }
}
