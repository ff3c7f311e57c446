using System.Text;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.CommandLine.Migration;

/// <summary>What a key of another deployment is, as its name says.</summary>
/// <param name="Key">The key as it is there.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Tenant">Whose it is; default where it is left alone.</param>
/// <param name="Name">What it is called below its tenant; of a client what stands behind <c>client:</c>.</param>
/// <param name="Reason">Why it is left alone.</param>
internal readonly record struct OldKey(RedisKey Key, OldKeyKind Kind, TenantId Tenant, RedisKey Name, string? Reason = null)
{
    private const string TenantPrefix = "tenant:";
    private const string OwnTenantPrefix = "tenant:{";
    private const string OwnFleetPrefix = "{tenants}:";
    private const string MetadataPrefix = "tenant:metadata:";
    private const string ClientPrefix = "client:";
    private const string SessionPrefix = "session:";

    /// <summary>Reads a key of the form <c>tenant:metadata:ID</c>.</summary>
    public static OldKey? ReadMetadata(RedisKey key) => Read(key, text => Metadata(key, text[MetadataPrefix.Length..]));

    /// <summary>Reads a key of the form <c>tenant:ID:NAME</c>; null for one of the form <c>tenant:metadata:ID</c>.</summary>
    public static OldKey? ReadTenants(RedisKey key) =>
        Text(key).StartsWith(MetadataPrefix, StringComparison.Ordinal) ? null : Read(key, text => Tenants(key, text));

    private static OldKey Tenants(RedisKey key, string text)
    {
        var end = text.IndexOf(':', TenantPrefix.Length);
        if (end < 0 || end + 1 == text.Length)
        {
            return LeftAlone(key, "it is not of the form tenant:ID:NAME");
        }

        return TenantId.TryParse(text[TenantPrefix.Length..end], out var tenant)
            ? Classify(key, tenant, text, end + 1)
            : new(key, OldKeyKind.NoTenant, default, default, TenantId.Explain(text[TenantPrefix.Length..end]));
    }

    /// <summary>Reads a key of a deployment that has one tenant.</summary>
    /// <param name="key">The key.</param>
    /// <param name="tenant">The tenant that it comes to.</param>
    /// <param name="isOther">Whether clients and sessions were read before: null for these.</param>
    public static OldKey? ReadSingle(RedisKey key, TenantId tenant, bool isOther) =>
        Read(key, text => Classify(key, tenant, text, 0) is var read && isOther && read.Kind != OldKeyKind.Other ? null : read);

    // A key of this server's own is none of another deployment. Any other with a brace has a place of its own in a Cluster: nobody can have
    // meant it.
    private static OldKey? Read(RedisKey key, Func<string, OldKey?> read)
    {
        var text = Text(key);
        return text.StartsWith(OwnTenantPrefix, StringComparison.Ordinal) || text.StartsWith(OwnFleetPrefix, StringComparison.Ordinal)
                ? null
            : text.AsSpan().ContainsAny('{', '}') ? LeftAlone(key, "its name has a brace")
            : read(text);
    }

    // Latin 1 has a character for each byte: names of keys need not be texts.
    private static string Text(RedisKey key) => Encoding.Latin1.GetString((byte[])key!);

    private static OldKey Metadata(RedisKey key, string id) =>
        TenantId.TryParse(id, out var tenant)
            ? new(key, OldKeyKind.Tenant, tenant, default)
            : new(key, OldKeyKind.NoTenant, default, default, TenantId.Explain(id));

    private static OldKey Classify(RedisKey key, TenantId tenant, string text, int start)
    {
        var name = text.AsSpan(start);
        return IsOf(name, ClientPrefix) ? new(key, OldKeyKind.Client, tenant, Tail(key, start))
            : IsOf(name, SessionPrefix) ? new(key, OldKeyKind.Session, tenant, Tail(key, start))
            : new(key, OldKeyKind.Other, tenant, Tail(key, start));
    }

    /// <summary>The id of a client, as the key has it.</summary>
    public string ClientId => Encoding.UTF8.GetString(((byte[])Name!).AsSpan(ClientPrefix.Length));

    private static bool IsOf(ReadOnlySpan<char> name, string prefix) =>
        name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal);

    private static RedisKey Tail(RedisKey key, int start) => ((byte[])key!)[start..];

    private static OldKey LeftAlone(RedisKey key, string reason) => new(key, OldKeyKind.LeftAlone, default, default, reason);
}

/// <summary>What a key of another deployment is.</summary>
internal enum OldKeyKind
{
    /// <summary>A tenant.</summary>
    Tenant,

    /// <summary>An OAuth client, where its value is one.</summary>
    Client,

    /// <summary>A session, which cannot go on here.</summary>
    Session,

    /// <summary>Something that nothing here knows.</summary>
    Other,

    /// <summary>It names no tenant that there can be.</summary>
    NoTenant,

    /// <summary>It is none that is brought here.</summary>
    LeftAlone,
}
