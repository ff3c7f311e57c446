using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Configuration;

namespace Tenancy.Mcp;

/// <summary>What a platform's instance is built from.</summary>
public sealed class TenantSetup
{
    private readonly JsonElement? _settings;
    private readonly TenantSecrets? _secrets;

    internal TenantSetup(TenantConfig tenant, IServiceProvider services)
    {
        Id = TenantId.Parse(tenant.Id);
        Name = tenant.Name ?? tenant.Id;
        Services = services;
        _settings = tenant.Settings;
        _secrets = tenant.Secrets;
    }

    /// <summary>Gets the tenant's id.</summary>
    public TenantId Id { get; }

    /// <summary>Gets the tenant's name.</summary>
    public string Name { get; }

    /// <summary>Gets the application's services.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Finds one of the tenant's secrets.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its value; null where the tenant has none of that name.</returns>
    public string? FindSecret(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _secrets?.TryGet(name, out var value) is true ? value : null;
    }

    /// <summary>Gets a secret that the platform cannot do without.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="InvalidOperationException">
    /// The tenant has no secret of that name. Thrown out of <c>CreateAsync</c> it is what the admin API answers.
    /// </exception>
    public string GetSecret(string name) =>
        FindSecret(name)
        ?? throw new InvalidOperationException(
            $"secrets.{name} is missing: the platform needs it. Give the tenant {{ \"secrets\": {{ \"{name}\": \"...\" }} }}."
        );

    /// <summary>Reads the tenant's settings. What is left out keeps the type's own defaults.</summary>
    /// <exception cref="JsonException">A setting is unknown or has a wrong type; the message names it.</exception>
    public TSettings GetSettings<TSettings>()
        where TSettings : class, new()
    {
        if (_settings is not { } settings)
        {
            return new();
        }

        try
        {
            var type = (JsonTypeInfo<TSettings>)SettingsJson.Options.GetTypeInfo(typeof(TSettings));
            return ConfiguredJson.Fit(JsonSerializer.SerializeToNode(settings, SettingsJson.Options), type).Deserialize(type) ?? new();
        }
        catch (JsonException exception)
        {
            throw new JsonException($"settings.{FieldPath.Of(exception)}: {JsonErrors.Explain(exception)}", exception);
        }
    }
}

internal static class SettingsJson
{
    // Numbers come as texts where the settings come from configuration files or environment variables.
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowReadingFromString,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };
}
