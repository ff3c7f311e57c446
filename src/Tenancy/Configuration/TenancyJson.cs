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
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(TenantConfig))]
[JsonSerializable(typeof(TenantWire))]
[JsonSerializable(typeof(PrincipalRegistration))]
[JsonSerializable(typeof(ClientRegistration))]
internal sealed partial class TenancyJson : JsonSerializerContext;

/// <summary>The wire form in configuration, where every scalar is a string.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true
)]
[JsonSerializable(typeof(TenantWire))]
internal sealed partial class ConfigurationJsonContext : JsonSerializerContext;

/// <summary>A tenant as it is posted or seeded: its configuration, and the principals that it begins with.</summary>
/// <remarks>
/// Two older forms are read too: <c>domain</c>, one host or URL, for <see cref="TenantConfig.Urls"/>; and <c>oidc</c> for
/// <see cref="TenantConfig.Authentication"/>.
/// </remarks>
internal sealed record TenantWire : TenantConfig, IJsonOnDeserialized
{
    public string? Domain { get; init; }

    public OidcWire? Oidc { get; init; }

    public IReadOnlyList<PrincipalRegistration>? Principals { get; init; }

    void IJsonOnDeserialized.OnDeserialized()
    {
        if (Domain is not null && Urls.Count > 0)
        {
            throw new JsonException(
                "it is the older form of urls: give one of them",
                "$.domain",
                lineNumber: null,
                bytePositionInLine: null
            );
        }

        if (Oidc is not null && Authentication is not null)
        {
            throw new JsonException(
                "it is the older form of authentication: give one of them",
                "$.oidc",
                lineNumber: null,
                bytePositionInLine: null
            );
        }
    }

    public TenantRegistration ToRegistration() =>
        new()
        {
            Tenant = ToConfig() with
            {
                Urls = Domain is not { } domain ? Urls : [domain.Contains("://", StringComparison.Ordinal) ? domain : "https://" + domain],
                Authentication = Authentication ?? Oidc?.ToAuthentication(),
            },
            Principals = Principals ?? [],
        };
}

/// <summary>The older form of a tenant's identity provider.</summary>
internal sealed record OidcWire
{
    public required string Issuer { get; init; }

    public string? Audience { get; init; }

    public string? JwksUri { get; init; }

    public string? TokenUrl { get; init; }

    public string? AuthorizationUrl { get; init; }

    public TenantAuthentication ToAuthentication() =>
        new()
        {
            Kind = TenantAuthenticationKind.Jwks,
            Issuer = Issuer,
            Audiences = Audience is { } audience ? [audience] : [],
            JwksUri = JwksUri,
            TokenUrl = TokenUrl,
            AuthorizationUrl = AuthorizationUrl,
        };
}
