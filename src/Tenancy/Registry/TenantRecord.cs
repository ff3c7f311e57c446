using System.Text.Json.Serialization;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>A tenant as the store keeps it.</summary>
internal sealed record TenantRecord
{
    public required TenantConfig Config { get; init; }

    public required long Version { get; init; }

    /// <summary>
    /// The generation, which tells apart the tenants that had this id one after the other. Each write for the tenant names it, and deleting
    /// the tenant ends it. 0 until the store has given one.
    /// </summary>
    public long Generation { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Names the span in which sessions are good: it begins when the tenant is registered.</summary>
    public required string SessionEpoch { get; init; }

    /// <summary>Who registered it: <see cref="TenantOrigin"/>.</summary>
    public required string Origin { get; init; }

    /// <summary>Whose it is at its source; null where the source does not say so, and where it comes from elsewhere.</summary>
    public string? Owner { get; init; }

    /// <summary>Who suspended it: <see cref="TenantOrigin"/>. Null where it is not suspended, or where an older release did that.</summary>
    public string? SuspendedBy { get; init; }

    public TenantCheck Check { get; init; } = TenantCheck.None;

    /// <summary>
    /// What a later release has written beside all this, as JSON; null where it has written nothing, and where none has. It stays in the
    /// store whatever is changed here.
    /// </summary>
    public string? Unknown { get; init; }

    /// <summary>
    /// Whether two records are of one registration. The generation alone does not tell: a store that has lost everything counts anew.
    /// </summary>
    public bool IsSameLife(TenantRecord other) => Generation == other.Generation && CreatedAt == other.CreatedAt;

    /// <summary>
    /// Whether this release cannot read what the store has: then the configuration has the id and the URLs only, and must not be written.
    /// </summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>Who registers tenants. What one registered, another does not change by itself.</summary>
internal static class TenantOrigin
{
    public const string Admin = "admin";
    public const string Configuration = "configuration";

    private const string SourcePrefix = "source:";

    public static string Source(Type source) => SourcePrefix + source.Name;

    public static bool IsSource(string origin) => origin.StartsWith(SourcePrefix, StringComparison.Ordinal);
}

/// <summary>The result of the last validation.</summary>
internal sealed record TenantCheck(TenantHealth Health, string? Reason, DateTimeOffset? CheckedAt)
{
    public static TenantCheck None { get; } = new(TenantHealth.Pending, null, null);

    /// <summary>How many checks had a doubtful result since the last that was valid, while the tenant was served.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Doubts { get; init; }

    /// <summary>When the first of them was; null where there is none.</summary>
    public DateTimeOffset? DoubtedSince { get; init; }
}
