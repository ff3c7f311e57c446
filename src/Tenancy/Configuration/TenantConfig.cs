using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>What an admin wrote of a tenant. What is null takes the value of <c>Tenancy:Defaults</c>.</summary>
/// <remarks>
/// A property is a field wherever tenants are: in the configuration, in the store, in the admin API and in the reference of the settings.
/// Attributes say its bounds and what a change of it makes necessary; nothing else has to name it.
/// </remarks>
// Not sealed: what is posted and what is shown of a tenant have all these fields, and some more.
public record TenantConfig
{
    /// <summary>Gets the tenant's id: up to 63 lower-case letters, digits and hyphens.</summary>
    /// <seealso cref="TenantId"/>
    [OnChange(ChangeEffects.Refused)]
    public required string Id { get; init; }

    /// <summary>Gets the name that people see. Default: the id.</summary>
    [Length(1, 200)]
    public string? Name { get; init; }

    /// <summary>Gets whether the tenant is served at all. Default: active.</summary>
    [OnChange(ChangeEffects.EndOfStreams, To = TenantAdminStatus.Suspended)]
    public TenantAdminStatus Status { get; init; }

    /// <summary>Gets the URLs at which this tenant, and no other, is called; <c>/mcp</c> is added to them.</summary>
    /// <seealso cref="TenantUrl"/>
    public IReadOnlyList<string> Urls
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value?.ToArray() ?? [];
    } = [];

    /// <summary>Gets how callers prove who they are. Default: that of <c>Tenancy:Defaults</c>.</summary>
    public TenantAuthentication? Authentication { get; init; }

    /// <summary>Gets the tenant's quotas. Default: those of <c>Tenancy:Defaults</c>.</summary>
    public TenantLimits? Limits { get; init; }

    /// <summary>Gets the platform, as named at <c>AddPlatform</c>: what the tenant can do.</summary>
    /// <value>Default: that of <c>Tenancy:Defaults</c>.</value>
    [OnChange(ChangeEffects.NewPlatform)]
    public string? Platform { get; init; }

    /// <summary>Gets the settings that the platform is built from: a JSON object of the platform's own form.</summary>
    [OnChange(ChangeEffects.NewPlatform), Concealed]
    public JsonElement? Settings { get; init; }

    /// <summary>Gets the secrets that the platform is built from: texts by their names, which are written and never shown.</summary>
    [OnChange(ChangeEffects.NewPlatform), Concealed]
    public TenantSecrets? Secrets { get; init; }

    /// <inheritdoc/>
    public virtual bool Equals(TenantConfig? other) => other is not null && !ChangesTo(other).Any();

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Name);

    /// <summary>Says which tenant it is, and nothing that a log must not have: the settings of a platform may be credentials.</summary>
    public sealed override string ToString() => Id;

    /// <summary>The fields that change where this configuration becomes another.</summary>
    internal IEnumerable<FieldChange> ChangesTo(TenantConfig after) => RecordFields.Compare(this, after, TenancyJson.Default.TenantConfig);

    /// <summary>All that becomes necessary where this configuration becomes another.</summary>
    internal ChangeEffects EffectsTo(TenantConfig after) =>
        ChangesTo(after).Aggregate(ChangeEffects.None, static (all, change) => all | change.Effects);

    /// <summary>
    /// This configuration with the secrets of another, where it has none of its own: sources and files need not know what an admin wrote.
    /// </summary>
    internal TenantConfig WithSecretsOf(TenantConfig other) => Secrets is null ? this with { Secrets = other.Secrets } : this;

    /// <summary>The configuration alone, without what came with it.</summary>
    internal TenantConfig ToConfig() => new(this);
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
