using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Tenancy.Configuration;

/// <summary>Reads <c>Tenancy:Validation</c>.</summary>
internal static class ValidationOptionsReader
{
    private const string Section = "Tenancy:Validation";

    private static readonly string[] Known =
    [
        nameof(ValidationOptions.AllowedNetworks), nameof(ValidationOptions.Proxy), nameof(ValidationOptions.Timeout), nameof(ValidationOptions.AllowHttp),
    ];

    public static void Read(IConfiguration configuration, ValidationOptions options, List<string> mistakes)
    {
        foreach (var child in configuration.GetSection(Section).GetChildren())
        {
            if (!Known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                mistakes.Add($"{child.Path} is not a setting. The settings of this section are {string.Join(", ", Known)}.");
            }
        }

        options.AllowedNetworks = ReadNetworks(configuration, mistakes) ?? options.AllowedNetworks;
        if (Text(configuration, nameof(ValidationOptions.Proxy)) is { } proxy)
        {
            // The text is not repeated: it may hold the proxy's password.
            options.Proxy = Uri.TryCreate(proxy, UriKind.Absolute, out var uri) ? uri : new Uri("/", UriKind.Relative);
        }

        if (Text(configuration, nameof(ValidationOptions.Timeout)) is { } timeout)
        {
            if (TimeSpan.TryParse(timeout, CultureInfo.InvariantCulture, out var value))
            {
                options.Timeout = value;
            }
            else
            {
                mistakes.Add($"{Section}:Timeout is '{timeout}': use hours:minutes:seconds, such as 00:00:10.");
            }
        }

        if (Text(configuration, nameof(ValidationOptions.AllowHttp)) is { } allowHttp)
        {
            if (bool.TryParse(allowHttp, out var value))
            {
                options.AllowHttp = value;
            }
            else
            {
                mistakes.Add($"{Section}:AllowHttp is '{allowHttp}': use true or false.");
            }
        }
    }

    private static List<IPNetwork>? ReadNetworks(IConfiguration configuration, List<string> mistakes)
    {
        const string Path = Section + ":AllowedNetworks";
        var texts = ConfigurationTree.Read(configuration, Path) switch
        {
            null => null,
            JsonArray list => list.Select(item => item?.ToString() ?? ""),
            var text => text.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        };
        if (texts is null)
        {
            return null;
        }

        var networks = new List<IPNetwork>();
        foreach (var text in texts)
        {
            if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                mistakes.Add($"{Path} has '{text}', which is no network: use an address and a prefix length, such as 10.20.0.0/16.");
            }
        }

        return networks;
    }

    private static string? Text(IConfiguration configuration, string name) =>
        configuration[$"{Section}:{name}"] is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
