using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>Changes a tenant's configuration by a JSON merge patch (RFC 7396): null takes a field out, so that it gets its default.</summary>
internal static class MergePatch
{
    /// <exception cref="TenantConfigPatchException">The result is not a tenant; the field is named.</exception>
    public static TenantConfig Apply(TenantConfig tenant, JsonObject patch)
    {
        var document = JsonSerializer.SerializeToNode(tenant, TenancyJson.Default.TenantConfig)!.AsObject();
        Merge(document, patch);
        try
        {
            return document.Deserialize(TenancyJson.Default.TenantWire)!.ToRegistration().Tenant;
        }
        catch (JsonException exception)
        {
            throw new TenantConfigPatchException(new(JsonErrors.Field(exception), JsonErrors.Explain(exception)));
        }
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject change when target[name] is JsonObject existing:
                    Merge(existing, change);
                    break;
                case JsonObject change:
                    var created = new JsonObject();
                    Merge(created, change);
                    target[name] = created;
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }
}

/// <summary>A merge patch does not give a tenant.</summary>
internal sealed class TenantConfigPatchException(TenantConfigError error) : Exception(error.ToString())
{
    public TenantConfigError Error { get; } = error;
}
