using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Configuration;

namespace Tenancy.Audit;

/// <summary>Something that was done. Secrets have no place in it: <see cref="AuditChanges"/> says what of a tenant is told.</summary>
/// <param name="Action">What was done: one of <see cref="AuditAction"/>.</param>
/// <param name="Tenant">The tenant.</param>
/// <param name="Caller">Who did it.</param>
/// <param name="Key">What the admin key is called that it was done with; null for none.</param>
/// <param name="Address">The address that the request came from; null where there was no request.</param>
internal sealed record AuditEntry(string Action, string Tenant, string Caller, string? Key = null, string? Address = null)
{
    private const int TagBytes = 9;

    /// <summary>Gets the account that it was done for; null for none.</summary>
    public string? Account { get; init; }

    /// <summary>Gets what it was done to beside the tenant: a principal's id, or the handle of a client or a session.</summary>
    public string? Subject { get; init; }

    /// <summary>Gets why, where somebody said so.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets what is another now.</summary>
    public IReadOnlyList<AuditChange>? Changes { get; init; }

    /// <summary>An entry of what is done now, by who acts in this flow of calls. One that is read has whoever it was written by.</summary>
    public static AuditEntry Of(string action, string tenant)
    {
        var actor = AuditActor.Current;
        return new(action, tenant, actor.Caller, actor.Key, actor.Address);
    }

    /// <summary>The entry as scripts take it, which add the time: a tag of its own, the tenant and the rest.</summary>
    public string ToText()
    {
        var tag = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TagBytes));
        return $"{tag} {Tenant} {JsonSerializer.Serialize(this, AuditJson.Wire.AuditEntry)}";
    }
}

/// <summary>A field that has another value now.</summary>
/// <param name="Field">The field, such as <c>limits.rateLimit</c>.</param>
/// <param name="Before">Its value before; null where it had none.</param>
/// <param name="After">Its value after; null where it has none.</param>
internal sealed record AuditChange(string Field, JsonElement? Before, JsonElement? After);

/// <summary>What the audit tells of. The names never change their meaning.</summary>
internal static class AuditAction
{
    public const string TenantRegistered = "tenant.registered";
    public const string TenantChanged = "tenant.changed";
    public const string TenantSuspended = "tenant.suspended";
    public const string TenantResumed = "tenant.resumed";
    public const string TenantRechecked = "tenant.rechecked";
    public const string TenantUnregistered = "tenant.unregistered";
    public const string TenantDeleted = "tenant.deleted";
    public const string PrincipalIssued = "principal.issued";
    public const string PrincipalRotated = "principal.rotated";
    public const string PrincipalRevoked = "principal.revoked";
    public const string ClientListed = "client.listed";
    public const string ClientRefreshed = "client.refreshed";
    public const string ClientRemoved = "client.removed";
    public const string SessionEnded = "session.ended";
    public const string ScopeOpened = "scope.opened";

    /// <summary>Gets all of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        TenantRegistered,
        TenantChanged,
        TenantSuspended,
        TenantResumed,
        TenantRechecked,
        TenantUnregistered,
        TenantDeleted,
        PrincipalIssued,
        PrincipalRotated,
        PrincipalRevoked,
        ClientListed,
        ClientRefreshed,
        ClientRemoved,
        SessionEnded,
        ScopeOpened,
    ];

    /// <summary>What a change of a tenant is called.</summary>
    public static string Of(TenantConfig before, TenantConfig after) =>
        before.Status == after.Status ? TenantChanged
        : after.Status == TenantAdminStatus.Suspended ? TenantSuspended
        : TenantResumed;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(RefusedAccess))]
internal sealed partial class AuditJson : JsonSerializerContext
{
    /// <summary>Entries, without escapes that only HTML needs.</summary>
    public static AuditJson Wire { get; } =
        new(
            new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            }
        );
}
