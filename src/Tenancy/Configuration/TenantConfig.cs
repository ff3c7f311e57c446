using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>What an admin wrote of a tenant. What is null takes the value of <c>Tenancy:Defaults</c>.</summary>
public sealed record TenantConfig
{
    /// <summary>Gets the tenant's id; see <see cref="TenantId"/>.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the name that people see; the id where it is left out.</summary>
    public string? Name { get; init; }

    /// <summary>Gets whether the tenant is served at all. Default: active.</summary>
    public TenantAdminStatus Status { get; init; }

    /// <summary>Gets the URLs at which this tenant, and no other, is called; see <see cref="TenantUrl"/>.</summary>
    public IReadOnlyList<string> Urls
    {
        get;

        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value ?? [];
    } = [];

    /// <summary>Gets how callers prove who they are.</summary>
    public TenantAuthentication? Authentication { get; init; }

    /// <summary>Gets the tenant's quotas.</summary>
    public TenantLimits? Limits { get; init; }

    /// <summary>Gets the platform, as named at <c>AddPlatform</c>: what the tenant can do. Default: the first that was added.</summary>
    public string? Platform { get; init; }

    /// <summary>Gets the settings that the platform is built from: a JSON object of the platform's own form.</summary>
    public JsonElement? Settings { get; init; }

    /// <inheritdoc/>
    public bool Equals(TenantConfig? other) =>
        other is not null && Id == other.Id && Name == other.Name && Status == other.Status && Urls.SequenceEqual(other.Urls)
        && Limits == other.Limits && HasSamePlatform(other) && Equals(Authentication, other.Authentication);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Name, Status, Platform);

    /// <summary>Whether two configurations take the same proof and have the same platform, so that no new validation is needed.</summary>
    internal bool HasSameBehaviour(TenantConfig other) => HasSamePlatform(other)
        && (Authentication?.HasSameProof(other.Authentication) ?? other.Authentication is null);

    /// <summary>Whether two configurations give the same platform instance.</summary>
    internal bool HasSamePlatform(TenantConfig other) => Platform == other.Platform && SameJson(Settings, other.Settings);

    /// <summary>Whether a change from this configuration to another makes an end of the tenant's sessions: it is suspended, or becomes a platform of another kind.</summary>
    internal bool EndsSessions(TenantConfig after) =>
        Platform != after.Platform || (after.Status == TenantAdminStatus.Suspended && Status != TenantAdminStatus.Suspended);

    private static bool SameJson(JsonElement? left, JsonElement? right) =>
        left is null || right is null ? left is null && right is null : JsonElement.DeepEquals(left.Value, right.Value);
}

/// <summary>Whether an admin lets a tenant be served.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TenantAdminStatus>))]
public enum TenantAdminStatus
{
    /// <summary>Served, as its health allows.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>Not served; to callers it looks like a tenant that does not exist.</summary>
    [JsonStringEnumMemberName("suspended")]
    Suspended,
}
