using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Deletes all that a tenant keeps, by its indexes and in batches. It can be cut off at any point and begun again.</summary>
internal sealed class TenantPurge(RedisConnection redis)
{
    private const int BatchSize = 500;

    /// <summary>Whether a tenant was taken away and its data not deleted yet.</summary>
    public async Task<bool> IsDueAsync(TenantId tenant) =>
        (await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "purging").ConfigureAwait(false)) is [{ IsNull: false }];

    /// <summary>Deletes what a tenant kept that was taken away, where that is not done yet.</summary>
    /// <returns>False where nothing was to be done.</returns>
    public async Task<bool> RunAsync(TenantId tenant, CancellationToken cancellationToken)
    {
        var fields = await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "purging", "version").ConfigureAwait(false);
        if (fields is not [{ IsNull: false }, { IsNull: false } version])
        {
            return false;
        }

        var keys = new TenantKeyspace(tenant);
        if ((int)await redis.EvaluateAsync(StoreScript.TenantEnd, [keys.Generation], [version]).ConfigureAwait(false) == 1)
        {
            await RunAsync(keys, cancellationToken).ConfigureAwait(false);
        }

        await redis
            .EvaluateAsync(StoreScript.TenantPurged, [FleetKeyspace.Metadata(tenant), FleetKeyspace.Unfinished], [tenant.Value, version])
            .ConfigureAwait(false);
        return true;
    }

    private async Task RunAsync(TenantKeyspace keys, CancellationToken cancellationToken)
    {
        await PurgeIndexAsync(
                keys.Documents,
                member =>
                    member.Split(':') is [var account, var collection, _, var id] ? keys.Document(new(account, collection, id)) : null,
                cancellationToken
            )
            .ConfigureAwait(false);
        await PurgeIndexAsync(keys.Idempotencies, member => keys.Idempotency(member), cancellationToken).ConfigureAwait(false);
        await PurgeIndexAsync(keys.Sessions, member => member.Split('.') is [_, _, var hash] ? keys.Session(hash) : null, cancellationToken)
            .ConfigureAwait(false);
        await PurgeIndexAsync(keys.Clients, entry => keys.Client(ClientStore.HandleOf(entry)), cancellationToken).ConfigureAwait(false);
        foreach (var principal in await redis.GetHashAsync(keys.Principals).ConfigureAwait(false))
        {
            await redis.DeleteAsync([.. PrincipalStore.Hashes(principal.Value.ToString()).Select(keys.Principal)]).ConfigureAwait(false);
        }

        await redis
            .DeleteAsync([keys.Principals, keys.SessionCounts, keys.DocumentStorage, keys.IdempotencySizes, keys.Secret])
            .ConfigureAwait(false);
    }

    private async Task PurgeIndexAsync(StoreKey index, Func<string, StoreKey?> key, CancellationToken cancellationToken)
    {
        while (await redis.GetFirstAsync(index, BatchSize).ConfigureAwait(false) is { Length: > 0 } members)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // The index entries go last: what they name can still be found after an interruption.
            await redis.DeleteAsync([.. members.Select(member => key(member.ToString())).OfType<StoreKey>()]).ConfigureAwait(false);
            await redis.RemoveMembersAsync(index, members).ConfigureAwait(false);
        }
    }
}
