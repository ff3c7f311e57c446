using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>The wire form of tenants: camel case, and strict, so that a misspelt field is an error and not a default.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TenantConfig))]
[JsonSerializable(typeof(TenantWire))]
internal sealed partial class TenancyJson : JsonSerializerContext;

/// <summary>The wire form in configuration, where every scalar is a string.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TenantWire))]
[JsonSerializable(typeof(DefaultsWire))]
internal sealed partial class ConfigurationJsonContext : JsonSerializerContext;

/// <summary>A tenant as it is posted or seeded.</summary>
internal sealed record TenantWire
{
    public required string Id { get; init; }

    public string? Name { get; init; }

    public TenantAdminStatus Status { get; init; }

    public IReadOnlyList<string>? Urls { get; init; }

    public TenantAuthentication? Authentication { get; init; }

    public TenantLimits? Limits { get; init; }

    public string? Platform { get; init; }

    public JsonElement? Settings { get; init; }

    public IReadOnlyList<PrincipalRegistration>? Principals { get; init; }

    public TenantRegistration ToRegistration() => new()
    {
        Tenant = new()
        {
            Id = Id,
            Name = Name,
            Status = Status,
            Urls = Urls ?? [],
            Authentication = Authentication,
            Limits = Limits,
            Platform = Platform,
            Settings = Settings,
        },
        Principals = Principals ?? [],
    };
}

/// <summary><c>Tenancy:Defaults</c> as it stands in the configuration.</summary>
internal sealed record DefaultsWire
{
    public TenantAuthentication? Authentication { get; init; }

    public TenantLimits? Limits { get; init; }

    public string? Platform { get; init; }
}
