using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The principals of one tenant: those whose bearer tokens it accepts. Tokens are kept as hashes.</summary>
internal sealed class PrincipalStore(RedisConnection redis, TenantId tenant)
{
    private const int SecretBytes = 32;
    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Creates a principal.</summary>
    /// <returns>Its id and its token, which nothing can show again; null where the given token is in use.</returns>
    public async Task<IssuedPrincipal?> CreateAsync(PrincipalRegistration principal, DateTimeOffset createdAt)
    {
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        var token = principal.Token ?? $"{tenant.Value}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}";
        var hash = TenantKeyspace.Hash(token);
        var record = JsonSerializer.Serialize(new StoredPrincipal(id, principal.Name, createdAt), PrincipalJson.Default.StoredPrincipal);
        var created = await redis.EvaluateAsync(
            StoreScript.PrincipalCreate, [_keys.Principal(hash), _keys.Principals], [id, hash, record]).ConfigureAwait(false);
        return (int)created == 1 ? new IssuedPrincipal(id, principal.Name, token) : null;
    }

    /// <summary>Finds the principal that a token belongs to.</summary>
    public async Task<StoredPrincipal?> FindAsync(string token)
    {
        var record = await redis.GetAsync(_keys.Principal(TenantKeyspace.Hash(token))).ConfigureAwait(false);
        return record.IsNull ? null : JsonSerializer.Deserialize(record.ToString(), PrincipalJson.Default.StoredPrincipal);
    }
}

/// <summary>A principal that was just created, with its token.</summary>
internal sealed record IssuedPrincipal(string Id, string Name, string Token);

/// <summary>A principal as the store keeps it.</summary>
internal sealed record StoredPrincipal(string Id, string Name, DateTimeOffset CreatedAt);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StoredPrincipal))]
internal sealed partial class PrincipalJson : JsonSerializerContext;
