using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>The principals of one tenant: those whose bearer tokens it accepts. Tokens are kept as hashes.</summary>
internal sealed class PrincipalStore(RedisConnection redis, TenantId tenant, long generation)
{
    /// <summary>The most principals of a tenant.</summary>
    public const int MaxPrincipals = PrincipalValidator.MaximumPrincipals;

    /// <summary>How much of a token is random.</summary>
    public const int SecretBytes = 32;

    private const char Separator = ' ';
    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Creates a principal.</summary>
    /// <param name="principal">The principal.</param>
    /// <param name="createdAt">The time.</param>
    /// <param name="audit">The entry of the audit; null for none.</param>
    /// <returns>Its id and its token, which nothing can show again, or why there is none.</returns>
    public async Task<(IssuedPrincipal? Issued, PrincipalRefusal Refusal)> CreateAsync(
        PrincipalRegistration principal,
        DateTimeOffset createdAt,
        AuditEntry? audit = null
    )
    {
        var (issued, due) = Prepare(tenant, principal, createdAt);
        var created = (int)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.PrincipalCreate,
                    [_keys.Principal(due.TokenHash), _keys.Principals, _keys.Generation, _keys.Audit],
                    [due.Id, due.TokenHash, due.Record, MaxPrincipals, generation, Text(audit, due.Id), redis.ClockOffset]
                )
                .ConfigureAwait(false);
        return created == 1
            ? (issued, PrincipalRefusal.None)
            : (null, created == 0 ? PrincipalRefusal.TokenInUse : PrincipalRefusal.TooMany);
    }

    /// <summary>Makes a principal and its token, and what the store is to keep of them.</summary>
    public static (IssuedPrincipal Issued, DuePrincipal Due) Prepare(
        TenantId tenant,
        PrincipalRegistration principal,
        DateTimeOffset createdAt
    )
    {
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        var token = principal.Token ?? NewToken(tenant);
        var record = Serialize(new(id, principal.Name, createdAt) { Scopes = principal.Scopes });
        return (new(id, principal.Name, token, principal.Scopes), new(id, TenantKeyspace.Hash(token), record));
    }

    /// <summary>Finds the principal that a token belongs to.</summary>
    public Task<StoredPrincipal?> FindAsync(string token) => ReadAsync(TenantKeyspace.Hash(token));

    /// <summary>Lists the principals, in the order in which they were created.</summary>
    public async Task<IReadOnlyList<StoredPrincipal>> ListAsync()
    {
        var index = await redis.GetHashAsync(_keys.Principals).ConfigureAwait(false);
        var principals = await Task.WhenAll(index.Select(entry => ReadAsync(Hashes(entry.Value.ToString())[0]))).ConfigureAwait(false);
        return
        [
            .. principals
                .OfType<StoredPrincipal>()
                .OrderBy(principal => principal.CreatedAt)
                .ThenBy(principal => principal.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>Gives a principal a new token.</summary>
    /// <param name="id">The principal.</param>
    /// <param name="oldEndsAt">Until when the token before it is good too.</param>
    /// <param name="now">The time.</param>
    /// <param name="audit">The entry of the audit; null for none.</param>
    /// <param name="token">The new token; null for one that is generated. One that the principal has already stays as it is.</param>
    /// <returns>The principal with its new token; null where there is no such principal.</returns>
    public async Task<IssuedPrincipal?> RotateAsync(
        string id,
        DateTimeOffset oldEndsAt,
        DateTimeOffset now,
        AuditEntry? audit = null,
        string? token = null
    )
    {
        token ??= NewToken(tenant);
        var hash = TenantKeyspace.Hash(token);
        // Another admin may rotate or revoke the principal between the look-up and the change, which is then tried again.
        while (await FindHashesAsync(id).ConfigureAwait(false) is { } known)
        {
            var hashes = Hashes(known);
            if (await ReadAsync(hashes[0]).ConfigureAwait(false) is not { } principal)
            {
                // Either it has just changed, or an eviction has torn its record out of the store: then there is nothing to give a token
                // to.
                if (known == await FindHashesAsync(id).ConfigureAwait(false))
                {
                    return null;
                }

                continue;
            }

            if (hashes[0] == hash)
            {
                return new(id, principal.Name, token, principal.Scopes);
            }

            var overlap = oldEndsAt - now;
            var rotated = await redis
                .EvaluateFencedAsync(
                    StoreScript.PrincipalRotate,
                    [_keys.Principals, _keys.Generation, _keys.Audit, _keys.Principal(hash), .. hashes.Select(_keys.Principal)],
                    [
                        id,
                        known,
                        overlap > TimeSpan.Zero ? $"{hash}{Separator}{hashes[0]}" : hash,
                        Serialize(principal),
                        Serialize(principal with { ExpiresAt = oldEndsAt }),
                        Math.Max(0, (long)overlap.TotalMilliseconds),
                        generation,
                        Text(audit, id),
                        redis.ClockOffset,
                    ]
                )
                .ConfigureAwait(false);
            if ((int)rotated == 1)
            {
                return new(id, principal.Name, token, principal.Scopes);
            }
        }

        return null;
    }

    /// <summary>Revokes a principal with all its tokens.</summary>
    /// <param name="id">The principal.</param>
    /// <param name="audit">Makes the entry of the audit of what the principal was, where that can be read; null for none.</param>
    /// <returns>False when there is no such principal.</returns>
    public async Task<bool> DeleteAsync(string id, Func<StoredPrincipal?, AuditEntry>? audit = null)
    {
        while (await FindHashesAsync(id).ConfigureAwait(false) is { } known)
        {
            var entry = audit?.Invoke(await ReadAsync(Hashes(known)[0]).ConfigureAwait(false));
            var deleted = await redis
                .EvaluateFencedAsync(
                    StoreScript.PrincipalDelete,
                    [_keys.Principals, _keys.Generation, _keys.Audit, .. Hashes(known).Select(_keys.Principal)],
                    [id, known, generation, Text(entry, id), redis.ClockOffset]
                )
                .ConfigureAwait(false);
            if ((int)deleted == 1)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The token that has a secret.</summary>
    internal static string TokenOf(TenantId tenant, ReadOnlySpan<byte> secret) => $"{tenant.Value}.{Base64Url.EncodeToString(secret)}";

    /// <summary>The hashes of a principal's tokens in the index, the newest first.</summary>
    internal static string[] Hashes(string indexed) => indexed.Split(Separator);

    private async Task<string?> FindHashesAsync(string id) => (await redis.GetFieldsAsync(_keys.Principals, id).ConfigureAwait(false))[0];

    private async Task<StoredPrincipal?> ReadAsync(string hash)
    {
        var record = await redis.GetAsync(_keys.Principal(hash)).ConfigureAwait(false);
        return record.IsNull ? null : JsonSerializer.Deserialize(record.ToString(), PrincipalJson.Default.StoredPrincipal);
    }

    private static string Text(AuditEntry? audit, string id) => audit is null ? "" : (audit with { Subject = id }).ToText();

    private static string NewToken(TenantId tenant) => TokenOf(tenant, RandomNumberGenerator.GetBytes(SecretBytes));

    private static string Serialize(StoredPrincipal principal) =>
        JsonSerializer.Serialize(principal, PrincipalJson.Default.StoredPrincipal);
}

/// <summary>Why a principal was not created.</summary>
internal enum PrincipalRefusal
{
    None,
    TokenInUse,
    TooMany,
}

/// <summary>A principal as the store keeps it, under each of its tokens.</summary>
internal sealed record StoredPrincipal(string Id, string Name, DateTimeOffset CreatedAt)
{
    public IReadOnlyList<string> Scopes
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value ?? [];
    } = [];

    /// <summary>When this token ends; null where it does not by itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpiresAt { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StoredPrincipal))]
internal sealed partial class PrincipalJson : JsonSerializerContext;
