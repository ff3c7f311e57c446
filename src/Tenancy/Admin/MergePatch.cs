using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>
/// Changes a tenant's configuration by a JSON merge patch (RFC 7396): null takes a field out, so that it gets its default.
/// </summary>
internal static class MergePatch
{
    // What an answer has beside the configuration.
    private static readonly string[] Found =
    [
        .. new[]
        {
            nameof(TenantAnswer.CreatedAt),
            nameof(TenantAnswer.Version),
            nameof(TenantAnswer.Health),
            nameof(TenantAnswer.Reason),
            nameof(TenantAnswer.LastCheckedAt),
        }.Select(JsonNamingPolicy.CamelCase.ConvertName),
    ];

    /// <summary>
    /// Makes a patch of an answer that is sent back: takes out what the server found by itself, and gives the version that was read. A
    /// patch without a version is none.
    /// </summary>
    /// <exception cref="TenantConfigPatchException">The version is no version.</exception>
    public static long? TakeSeenVersion(JsonObject patch)
    {
        if (!patch.TryGetPropertyValue("version", out var version))
        {
            return null;
        }

        if (version is not JsonValue value || !value.TryGetValue<long>(out var seen))
        {
            throw new TenantConfigPatchException(
                new("version", "must be the version that the tenant was read with: send it as it was, or leave it out")
            );
        }

        foreach (var name in Found)
        {
            patch.Remove(name);
        }

        return seen;
    }

    /// <exception cref="TenantConfigPatchException">The result is not a tenant; the field is named.</exception>
    public static TenantConfig Apply(TenantConfig tenant, JsonObject patch)
    {
        if (patch.ContainsKey("principals"))
        {
            throw new TenantConfigPatchException(
                new(
                    "principals",
                    $"they are no part of a tenant's configuration: issue one with POST /admin/tenants/{tenant.Id}/principals, "
                        + $"revoke one with DELETE /admin/tenants/{tenant.Id}/principals/{{principalId}}"
                )
            );
        }

        var changed = Apply(tenant, patch, TenancyJson.Default.TenantConfig, TenancyJson.Default.TenantWire).ToRegistration().Tenant;
        return changed with { Secrets = TenantSecrets.Resolve(changed.Secrets, tenant.Secrets) };
    }

    /// <summary>Changes a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="patch">The change.</param>
    /// <param name="form">The fields that it has.</param>
    /// <param name="type">What the result is read as.</param>
    internal static TResult Apply<TRecord, TResult>(
        TRecord record,
        JsonObject patch,
        JsonTypeInfo<TRecord> form,
        JsonTypeInfo<TResult> type
    )
    {
        var document = JsonSerializer.SerializeToNode(record, form)!.AsObject();
        Merge(document, patch, form, place: "");
        try
        {
            return document.Deserialize(type)!;
        }
        catch (JsonException exception)
        {
            throw new TenantConfigPatchException(new(FieldPath.Of(exception), JsonErrors.Explain(exception, type)));
        }
    }

    /// <param name="target">What is changed.</param>
    /// <param name="patch">The change.</param>
    /// <param name="type">What the target stands for; null where it may have any fields, as settings may.</param>
    /// <param name="place">Where the target is in the tenant.</param>
    private static void Merge(JsonObject target, JsonObject patch, JsonTypeInfo? type, string place)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                // A misspelt field with a value is found when the result is read; one with null would leave no trace.
                case null when type is { Kind: JsonTypeInfoKind.Object } && Find(type, name) is null:
                    throw new TenantConfigPatchException(
                        new(
                            FieldPath.Join(place, name),
                            "there is no such field to take out; check its spelling" + JsonErrors.SuggestName(name, type)
                        )
                    );
                case null:
                    target.Remove(name);
                    break;
                case JsonObject change when target[name] is JsonObject existing:
                    Merge(existing, change, TypeOf(type, name), FieldPath.Join(place, name));
                    break;
                case JsonObject change:
                    var created = new JsonObject();
                    Merge(created, change, TypeOf(type, name), FieldPath.Join(place, name));
                    target[name] = created;
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }

    private static JsonPropertyInfo? Find(JsonTypeInfo type, string name) =>
        type.Properties.FirstOrDefault(property => property.Name == name);

    // The keys of a dictionary are free; the fields of its records are not.
    private static JsonTypeInfo? TypeOf(JsonTypeInfo? type, string name) =>
        (
            type is { ElementType: { } element } ? element
            : type is not null ? Find(type, name)?.PropertyType
            : null
        )
            is { } found
        && type!.Options.GetTypeInfo(found) is { Kind: JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary } form
            ? form
            : null;
}

/// <summary>A merge patch does not give a tenant.</summary>
internal sealed class TenantConfigPatchException(TenantConfigError error) : Exception(error.ToString())
{
    public TenantConfigError Error { get; } = error;
}
