using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// Who may take tokens of an issuer's client that name no audience. Two tenants that did so for one client would take each other's tokens,
/// so that an issuer and a client belong to one tenant, as an issuer and an audience do: it is the same claim.
/// </summary>
internal sealed class ClientClaims(RedisConnection redis)
{
    private const int MaxAttempts = 10;

    /// <summary>Claims a client for a tenant.</summary>
    /// <returns>The tenant that has it: another one's id where it is taken.</returns>
    public async Task<string> ClaimAsync(TenantId tenant, long generation, string issuer, string clientId)
    {
        var claim = RedisTenantStore.TokenClaimOf(issuer, clientId);
        return await ChangeAsync(tenant, generation, at: null, claim, claims => claims.Contains(claim) ? claims : [.. claims, claim])
            .ConfigureAwait(false)
            ?? tenant.Value;
    }

    /// <summary>
    /// How many times a tenant has claimed clients. Who gives a claim up because the client is not listed reads this before looking at the
    /// list: a tenant that lists the client meanwhile claims it again afterwards, and keeps it.
    /// </summary>
    public async Task<string> CountAsync(TenantId tenant) =>
        (string?)(await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "claimed").ConfigureAwait(false))[0] ?? "";

    /// <summary>Gives up the claim of a tenant, where that is still at a version and has claimed nothing since a count was read.</summary>
    public Task ReleaseAsync(TenantId tenant, long generation, long version, string count, string issuer, string clientId)
    {
        var claim = RedisTenantStore.TokenClaimOf(issuer, clientId);
        return ChangeAsync(tenant, generation, (version, count), claim, claims => [.. claims.Where(one => one != claim)]);
    }

    /// <summary>Which tenant has a client; null where none has.</summary>
    public async Task<string?> FindOwnerAsync(string issuer, string clientId) =>
        (await redis.GetFieldsAsync(FleetKeyspace.Routes, RedisTenantStore.TokenClaimOf(issuer, clientId)).ConfigureAwait(false))[0];

    /// <returns>Another tenant that has the claim; null where none has.</returns>
    private async Task<string?> ChangeAsync(
        TenantId tenant,
        long generation,
        (long Version, string Count)? at,
        string claim,
        Func<string[], string[]> change
    )
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var before = (string?)(await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "urls").ConfigureAwait(false))[0] ?? "";
            var claims = before.Length == 0 ? [] : JsonSerializer.Deserialize(before, TenantStoreJson.Default.StringArray)!;
            var answer = (RedisResult[])
                (
                    await redis
                        .EvaluateAsync(
                            StoreScript.ClientClaim,
                            [FleetKeyspace.Metadata(tenant), FleetKeyspace.Routes],
                            [
                                tenant.Value,
                                generation,
                                at?.Version.ToString(CultureInfo.InvariantCulture) ?? "",
                                claim,
                                before,
                                JsonSerializer.Serialize(change(claims), TenantStoreJson.Default.StringArray),
                                at?.Count ?? "",
                            ]
                        )
                        .ConfigureAwait(false)
                )!;
            switch ((int)answer[0])
            {
                case 0:
                    return (string)answer[1]!;
                case 2 when at is null:
                    continue;
                case -1 when at is null:
                    throw new Registry.TenantNotFoundException(tenant);
                default:
                    // Done, or somebody else has changed the tenant: what it claims now is its own affair.
                    return null;
            }
        }

        throw new Registry.TenantConflictException(
            "version",
            $"Tenant '{tenant}' was changed by others again and again: try it once more."
        );
    }
}
