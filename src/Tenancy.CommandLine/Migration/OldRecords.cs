using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Configuration;

namespace Tenancy.CommandLine.Migration;

/// <summary>Reads tenants and clients of another deployment, and gives them as the admin API takes them.</summary>
internal static class OldRecords
{
    // Without one of these it is no client, whatever its key is called: it is brought along as it is.
    private static readonly string[] ClientMembers =
    [
        "client_id",
        "clientId",
        "client_name",
        "clientName",
        "redirect_uris",
        "redirectUris",
    ];

    private static readonly string[] NameMembers = ["client_name", "clientName", "name"];
    private static readonly string[] IdMembers = ["client_id", "clientId"];

    // In either spelling, snake case and camel case.
    private static readonly string[] TokenMembers = ["registrationaccesstoken", "accesstoken", "refreshtoken", "idtoken"];

    private const int LeastLifetime = 60;
    private const int MostLifetime = 10 * 365 * 24 * 60 * 60;

    /// <summary>Reads a JSON object; null where it is none.</summary>
    public static JsonObject? Parse(byte[] json)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads the fields of a hash as those of an object: objects and lists as JSON, all others as texts.</summary>
    public static JsonObject Join(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var joined = new JsonObject();
        foreach (var (name, value) in fields)
        {
            joined[name] = Value(value);
        }

        return joined;
    }

    /// <summary>Gives a tenant in the one form that it is posted in; older forms become that.</summary>
    /// <exception cref="ToolException">It is none.</exception>
    public static JsonObject ReadTenant(TenantId id, JsonObject old)
    {
        var record = TenantFiles.StripFound(old);
        record["id"] ??= id.Value;
        TenantRegistration registration;
        try
        {
            registration = record.Deserialize(TenancyJson.Default.TenantWire)!.ToRegistration();
        }
        catch (JsonException exception)
        {
            throw new ToolException($"it is not read as a tenant: {exception.Message}");
        }

        if (registration.Tenant.Id != id.Value)
        {
            throw new ToolException("its \"id\" is another one than its key has");
        }

        var posted = JsonSerializer.SerializeToNode(registration.Tenant, TenancyJson.Default.TenantConfig)!.AsObject();
        if (record["secrets"] is JsonObject secrets)
        {
            // Written as a configuration they would be hidden.
            posted["secrets"] = secrets.DeepClone();
        }

        if (record["principals"] is JsonArray { Count: > 0 } principals)
        {
            // A token that the server makes is shown once, and nobody would see it.
            if (principals.Any(principal => principal?["token"] is null))
            {
                throw new ToolException("a principal of it has no \"token\": take it out there, and issue one when the tenant is here");
            }

            posted["principals"] = principals.DeepClone();
        }

        return posted;
    }

    /// <summary>Gives a client as it is posted, without its secrets; null where it is none.</summary>
    /// <param name="id">Its id, as its key has it.</param>
    /// <param name="old">What is known of it, in the terms of RFC 7591.</param>
    /// <param name="timeToLive">How long its key has yet, in milliseconds; 0 where it does not end.</param>
    public static JsonObject? ReadClient(string id, JsonObject old, long timeToLive)
    {
        if (!ClientMembers.Any(old.ContainsKey))
        {
            return null;
        }

        var client = new JsonObject { ["clientId"] = Text(old, IdMembers) ?? id };
        if (Text(old, NameMembers) is { Length: > 0 } name)
        {
            client["name"] = name;
        }

        // Of a client whose id is a URL the server fetches what it publishes.
        if (!ClientValidator.IsDocument((string)client["clientId"]!) && Metadata(old) is { Count: > 0 } metadata)
        {
            client["metadata"] = metadata;
        }

        // Left out, it would be ninety days: one that does not end there is to stay as long as it may.
        client["expiresIn"] = timeToLive > 0 ? (int)Math.Clamp((timeToLive + 999) / 1000, LeastLifetime, MostLifetime) : MostLifetime;
        return client;
    }

    private static JsonObject Metadata(JsonObject old)
    {
        var metadata = new JsonObject();
        foreach (var (name, value) in (old["metadata"] as JsonObject ?? old).Where(member => !IsLeftOut(member.Key)))
        {
            metadata[name] = value?.DeepClone();
        }

        return metadata;
    }

    // This server checks what an identity provider signed, and has no use for what a client proves itself with there.
    private static bool IsLeftOut(string name) =>
        IdMembers.Contains(name)
        || NameMembers.Contains(name)
        || TokenMembers.Contains(name.Replace("_", "", StringComparison.Ordinal), StringComparer.OrdinalIgnoreCase)
        || name.Contains("secret", StringComparison.OrdinalIgnoreCase);

    private static string? Text(JsonObject old, string[] names) =>
        names
            .Select(name => old[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null)
            .FirstOrDefault(text => text is not null);

    private static JsonNode? Value(string text) =>
        text is ['{' or '[', ..] && TryParse(text) is { } parsed ? parsed : JsonValue.Create(text);

    private static JsonNode? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(Encoding.UTF8.GetBytes(text));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
