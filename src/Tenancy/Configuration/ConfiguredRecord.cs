using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Configuration;

/// <summary>
/// A setting that is a tenant, or a part of one: it is written in the configuration as it is everywhere else, and is taken whole from the
/// highest source that has it.
/// </summary>
/// <param name="Form">The form that is read.</param>
/// <param name="Convert">Makes the value of the setting of what was read.</param>
internal sealed record ConfiguredRecord(JsonTypeInfo Form, Func<object, object> Convert)
{
    private static readonly Dictionary<Type, ConfiguredRecord> Known = new()
    {
        [typeof(TenantAuthentication)] = new(ConfigurationJsonContext.Default.TenantAuthentication, static read => read),
        [typeof(TenantLimits)] = new(ConfigurationJsonContext.Default.TenantLimits, static read => read),
        [typeof(TenantRegistration)] = new(ConfigurationJsonContext.Default.TenantWire, static read => ((TenantWire)read).ToRegistration()),
    };

    /// <summary>The form of a type; null for a type that no setting is written in so.</summary>
    public static ConfiguredRecord? Of(Type type) => Known.GetValueOrDefault(type);

    /// <summary>Reads a value; null where it has a mistake.</summary>
    public object? Read(JsonNode? node, string path, List<string> mistakes)
    {
        try
        {
            return Convert(ConfiguredJson.Fit(node, Form).Deserialize(Form) ?? throw new JsonException("it is empty"));
        }
        catch (JsonException exception)
        {
            mistakes.Add($"{FieldPath.ToSetting(path, FieldPath.Of(exception))} cannot be read: {JsonErrors.Explain(exception, Form)}.");
            return null;
        }
    }
}
