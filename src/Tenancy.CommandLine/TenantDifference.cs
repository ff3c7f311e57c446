using System.Text.Json.Nodes;

namespace Tenancy.CommandLine;

/// <summary>What has to change at a server, so that a tenant is there as its file says.</summary>
/// <remarks>
/// A field that the file leaves out is the server's business: it may have a default of its own. Within settings, which are the platform's,
/// and within tables by name, the file is all that there is.
/// </remarks>
internal sealed class TenantDifference
{
    private static readonly string[] Whole = ["settings", "limits.tools"];

    private TenantDifference(JsonObject file, JsonObject? server)
    {
        (File, Version) = (file, (long?)server?["version"] ?? 0);
        IsNew = server is null;
        if (server is not null)
        {
            Compare(file, server, Patch, "");
        }
    }

    /// <summary>Gets the tenant as its file has it.</summary>
    public JsonObject File { get; }

    /// <summary>Gets its id.</summary>
    public string Id => (string)File["id"]!;

    /// <summary>Gets whether the server has no such tenant.</summary>
    public bool IsNew { get; }

    /// <summary>Gets the version that it was compared with.</summary>
    public long Version { get; }

    /// <summary>Gets the change as a JSON merge patch.</summary>
    public JsonObject Patch { get; } = [];

    /// <summary>Gets the fields that change, with their values before and after.</summary>
    public List<(string Field, string Before, string After)> Fields { get; } = [];

    /// <summary>Gets whether there is anything to do.</summary>
    public bool IsEmpty => !IsNew && Fields.Count == 0;

    public static TenantDifference Between(JsonObject file, JsonObject? server) => new(file, server);

    private void Compare(JsonObject file, JsonObject server, JsonObject patch, string place)
    {
        foreach (var (name, wanted) in file)
        {
            var (field, there) = (place + name, server[name]);
            if (JsonNode.DeepEquals(wanted, there))
            {
                continue;
            }

            if (wanted is JsonObject inner && there is JsonObject innerThere)
            {
                var change = new JsonObject();
                Compare(inner, innerThere, change, field + ".");
                if (change.Count > 0)
                {
                    patch[name] = change;
                }
            }
            else
            {
                patch[name] = wanted?.DeepClone();
                Fields.Add((field, Text(there), Text(wanted)));
            }
        }

        if (Whole.Any(whole => place.StartsWith(whole + ".", StringComparison.Ordinal)))
        {
            foreach (var (name, there) in server.Where(member => !file.ContainsKey(member.Key)))
            {
                patch[name] = null;
                Fields.Add((place + name, Text(there), "nothing"));
            }
        }
    }

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "nothing";
}
