using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Administration;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>A tenant as the admin API shows it: its configuration, and how it is.</summary>
internal sealed record TenantAnswer : TenantConfig
{
    // The configuration comes first.
    private const int Later = 1;

    [SetsRequiredMembers]
    private TenantAnswer(TenantConfig config)
        : base(config) { }

    [JsonPropertyOrder(Later)]
    public DateTimeOffset CreatedAt { get; init; }

    [JsonPropertyOrder(Later)]
    public long Version { get; init; }

    [JsonPropertyOrder(Later)]
    public TenantHealth Health { get; init; }

    [JsonPropertyOrder(Later)]
    public string? Reason { get; init; }

    [JsonPropertyOrder(Later)]
    public DateTimeOffset? LastCheckedAt { get; init; }

    [JsonPropertyOrder(Later)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IssuedPrincipal>? Principals { get; init; }

    /// <summary>What it has of an unregistered tenant with its id; left out where there was none.</summary>
    [JsonPropertyOrder(Later)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AdoptedData? Adopted { get; init; }

    public static TenantAnswer From(TenantStatus tenant) =>
        new(tenant.Config)
        {
            CreatedAt = tenant.CreatedAt,
            Version = tenant.Version,
            Health = tenant.Health,
            Reason = tenant.Reason,
            LastCheckedAt = tenant.LastCheckedAt,
        };

    public static TenantAnswer From(RegisteredTenant tenant) =>
        From(tenant.Status) with
        {
            Principals = tenant.Principals,
            Adopted = tenant.Adopted,
        };
}

/// <summary>The tenants of the server, and those that are gone but for some of their data.</summary>
/// <param name="Tenants">A page of them, by id.</param>
/// <param name="Count">How many fit the filters in all; null where they are looked for by a text, and not all were looked at.</param>
/// <param name="NextCursor">What the next page is asked for with; null where there is none.</param>
internal sealed record TenantList(IReadOnlyList<TenantAnswer> Tenants, int? Count, string? NextCursor);

/// <summary>How many tenants there are.</summary>
/// <param name="Tenants">All of them.</param>
/// <param name="Health">Those of each health that are not suspended, and those that are.</param>
internal sealed record TenantSummary(int Tenants, IReadOnlyDictionary<string, int> Health)
{
    public static TenantSummary Of(TenantRegistry registry)
    {
        var health = registry.CountByHealth().ToDictionary(one => one.Health, one => one.Count, StringComparer.Ordinal);
        return new(health.Values.Sum(), health);
    }
}

/// <summary>The deletions under way.</summary>
/// <param name="Deletions">The first 20 of them, those that began first.</param>
internal sealed record DeletionList(IReadOnlyList<TenantDeletion> Deletions);

/// <summary>A tenant that is gone, but for some of its data.</summary>
/// <param name="Id">Which id nobody can have until all of it is gone.</param>
/// <param name="Deleted">How many of its records are deleted.</param>
internal sealed record TenantDeletion(string Id, long Deleted);

/// <summary>What is wrong with a request, as problem+json (RFC 9457); <c>errors</c> names each field.</summary>
internal sealed record AdminProblem(string Title, int Status, string? Detail, IReadOnlyDictionary<string, string[]>? Errors = null)
{
    /// <summary>How far the deletion of a tenant is that is gone, but not all of its data; left out elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PurgeProgress? Purging { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TenantAnswer))]
[JsonSerializable(typeof(TenantList))]
[JsonSerializable(typeof(AdminProblem))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(NodeList))]
[JsonSerializable(typeof(PrincipalList))]
[JsonSerializable(typeof(IssuedPrincipal))]
[JsonSerializable(typeof(ClientAnswer))]
[JsonSerializable(typeof(ClientList))]
[JsonSerializable(typeof(TokenToExplain))]
[JsonSerializable(typeof(TokenExplanation))]
[JsonSerializable(typeof(RefusedTokenList))]
[JsonSerializable(typeof(AuditList))]
[JsonSerializable(typeof(RefusalList))]
[JsonSerializable(typeof(UsageList))]
[JsonSerializable(typeof(TenantSummary))]
[JsonSerializable(typeof(DeletionList))]
[JsonSerializable(typeof(TenantTraffic))]
[JsonSerializable(typeof(BeginEvent))]
[JsonSerializable(typeof(HealthEvent))]
[JsonSerializable(typeof(NodesEvent))]
[JsonSerializable(typeof(ReasonEvent))]
[JsonSerializable(typeof(RefusedNow))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>The answers of the admin API, without escapes that only HTML needs.</summary>
    public static AdminJson Wire { get; } =
        new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
