using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>How callers of one tenant prove who they are.</summary>
public sealed record TenantAuthentication
{
    /// <summary>Gets the kind of proof.</summary>
    public required TenantAuthenticationKind Kind { get; init; }
}

/// <summary>The kinds of proof that a tenant may ask of its callers.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TenantAuthenticationKind>))]
public enum TenantAuthenticationKind
{
    /// <summary>Opaque bearer tokens (RFC 6750) that the admin API issues for named principals.</summary>
    [JsonStringEnumMemberName("bearer")]
    Bearer,

    /// <summary>No proof: every caller is <c>anonymous</c>. For development, or a network that you trust.</summary>
    [JsonStringEnumMemberName("none")]
    None,
}
