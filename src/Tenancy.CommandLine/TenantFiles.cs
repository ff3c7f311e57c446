using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Configuration;

namespace Tenancy.CommandLine;

/// <summary>Tenants as files, one each, as people keep them in Git: what an admin wrote, and nothing that the server found out.</summary>
internal static class TenantFiles
{
    // Secrets are written and never shown: no file has them.
    private static readonly string[] ReadOnly =
    [
        "createdAt",
        "version",
        "health",
        "reason",
        "lastCheckedAt",
        "principals",
        "adopted",
        "secrets",
    ];

    /// <summary>The form of a file: indented, and with line ends that are the same everywhere.</summary>
    public static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>What a file has of a tenant as the server shows it.</summary>
    public static JsonObject Strip(JsonObject tenant) => Strip(tenant, ReadOnly);

    /// <summary>The same with its principals and its secrets, which whoever registers it may name.</summary>
    public static JsonObject StripFound(JsonObject tenant) =>
        Strip(tenant, [.. ReadOnly.Where(name => name is not ("principals" or "secrets"))]);

    private static JsonObject Strip(JsonObject tenant, string[] without)
    {
        var kept = new JsonObject();
        foreach (var (name, value) in tenant.Where(member => member.Value is not null && !without.Contains(member.Key)))
        {
            kept[name] = value!.DeepClone();
        }

        return kept;
    }

    /// <summary>Writes a tenant's file.</summary>
    /// <returns>Its path.</returns>
    public static async Task<string> WriteAsync(string folder, JsonObject tenant, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"{(string)tenant["id"]!}.json");
        await File.WriteAllTextAsync(path, Strip(tenant).ToJsonString(Indented) + "\n", cancellationToken);
        return path;
    }

    /// <summary>The files of a folder.</summary>
    public static string[] List(string folder) => Directory.GetFiles(folder, "*.json");

    /// <summary>Reads all tenants of a folder, by id.</summary>
    /// <exception cref="ToolException">A file is none of a tenant.</exception>
    public static IReadOnlyList<JsonObject> Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new ToolException($"There is no folder '{folder}'.");
        }

        return [.. List(folder).Order(StringComparer.Ordinal).Select(ReadFile)];
    }

    private static JsonObject ReadFile(string path)
    {
        JsonObject? tenant;
        try
        {
            tenant = JsonNode.Parse(File.ReadAllText(path), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException exception)
        {
            throw new ToolException($"{path} is no JSON: {exception.Message}");
        }

        var name = Path.GetFileNameWithoutExtension(path);
        if (tenant?["id"] is not JsonValue id || !id.TryGetValue<string>(out var text) || text != name)
        {
            throw new ToolException($"{path} is not of the tenant '{name}': its \"id\" has to be the name of the file.");
        }

        if (tenant.Select(member => member.Key).FirstOrDefault(ReadOnly.Contains) is { } found)
        {
            throw new ToolException($"{path} has \"{found}\", which is not for a file: take it out.");
        }

        MakeCanonical(tenant);
        return tenant;
    }

    // As the server writes URLs: another spelling of the same one is no difference.
    private static void MakeCanonical(JsonObject tenant)
    {
        if (tenant["urls"] is not JsonArray urls)
        {
            return;
        }

        for (var i = 0; i < urls.Count; i++)
        {
            if (urls[i] is JsonValue value && value.TryGetValue<string>(out var text) && TenantUrl.TryParse(text, out var url, out _))
            {
                urls[i] = url.ToString();
            }
        }
    }
}
