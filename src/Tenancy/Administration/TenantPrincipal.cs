using System.Text.Json.Serialization;

namespace Tenancy.Administration;

/// <summary>A principal of a tenant: somebody whose bearer token it accepts.</summary>
/// <param name="Id">The id, which stays when the token is another.</param>
/// <param name="Name">The name that people see; it identifies nobody.</param>
/// <param name="CreatedAt">When it was issued.</param>
public sealed record TenantPrincipal(string Id, string Name, DateTimeOffset CreatedAt)
{
    /// <summary>Gets what the principal may do (RFC 6749, section 3.3).</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Gets when its token ends; null where it does not by itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpiresAt { get; init; }
}
